import { canonical, type JsonObject } from './json-value.js'
import type { Check, Compile } from './validation-run.js'

type ListCheck = (list: readonly unknown[], run: Parameters<Check>[1]) => boolean

/** The checks of the keywords that speak of lists. They accept values of other types. */
export function arrayChecks(schema: JsonObject, compile: Compile): readonly Check[] {
  const checks: ListCheck[] = []
  const { minItems, maxItems, uniqueItems, contains } = schema
  if (typeof minItems === 'number')
    checks.push((list, run) => list.length >= minItems || run.fail(`has to have at least ${minItems} items`))
  if (typeof maxItems === 'number')
    checks.push((list, run) => list.length <= maxItems || run.fail(`has to have at most ${maxItems} items`))
  if (uniqueItems === true)
    checks.push((list, run) => areUnique(list) || run.fail('has to have no item twice'))
  if (contains !== undefined) checks.push(containing(compile(contains)))
  if (schema.items !== undefined) checks.push(itemsCheck(schema, compile))
  return checks.map((check) => (value, run) => !Array.isArray(value) || check(value, run))
}

function itemsCheck({ items, additionalItems }: JsonObject, compile: Compile): ListCheck {
  if (!Array.isArray(items)) return eachItem([], compile(items))
  return eachItem(items.map(compile), additionalItems === undefined ? undefined : compile(additionalItems))
}

/**
 * @param first the checks of the first items @param other the check of those after them; none, they
 * may be anything
 */
function eachItem(first: readonly Check[], other: Check | undefined): ListCheck {
  return (list, run) => {
    let isValid = true
    for (let index = 0; index < list.length; index += 1) {
      const check = first[index] ?? other
      if (!check) break
      if (run.inside(index, check, list[index])) continue
      isValid = false
      if (run.isTrial) break
    }
    return isValid
  }
}

function containing(check: Check): ListCheck {
  return (list, run) =>
    list.some((item) => run.accepts(check, item)) || run.fail('has to contain an item of a certain kind')
}

/** In the time of one look at each item, whatever a sender puts there. */
function areUnique(list: readonly unknown[]): boolean {
  return new Set(list.map(canonical)).size === list.length
}

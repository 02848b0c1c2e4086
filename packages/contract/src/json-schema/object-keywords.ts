import { has, isObject, type JsonObject, namesOf } from './json-value.js'
import type { Check, Compile, ValidationRun } from './validation-run.js'
import { patternOf } from './value-keywords.js'

type ObjectCheck = (value: JsonObject, run: ValidationRun) => boolean

/** The checks of the keywords that speak of objects. They accept values of other types. */
export function objectChecks(schema: JsonObject, compile: Compile): readonly Check[] {
  const { minProperties, maxProperties, required, propertyNames, dependencies } = schema
  const checks: ObjectCheck[] = []
  if (typeof minProperties === 'number')
    checks.push(counted((count) => count >= minProperties, `at least ${minProperties}`))
  if (typeof maxProperties === 'number')
    checks.push(counted((count) => count <= maxProperties, `at most ${maxProperties}`))
  if (Array.isArray(required)) checks.push(requires(required))
  if (propertyNames !== undefined) checks.push(naming(compile(propertyNames)))
  if (isObject(dependencies)) checks.push(...dependenciesChecks(dependencies, compile))
  if (['properties', 'patternProperties', 'additionalProperties'].some((key) => key in schema))
    checks.push(propertiesCheck(schema, compile))
  return checks.map((check) => (value, run) => !isObject(value) || check(value, run))
}

function counted(test: (count: number) => boolean, what: string): ObjectCheck {
  return (value, run) => test(namesOf(value).length) || run.fail(`has to have ${what} properties`)
}

function requires(names: readonly string[]): ObjectCheck {
  return (value, run) => {
    let isValid = true
    for (const name of names) {
      if (has(value, name)) continue
      isValid = run.inside(name, missing, undefined)
      if (run.isTrial) break
    }
    return isValid
  }
}

const missing: Check = (_, run) => run.fail('is required')

function naming(check: Check): ObjectCheck {
  return (value, run) =>
    namesOf(value).every((name) => run.accepts(check, name)) ||
    run.fail('has to have other names of properties')
}

function dependenciesChecks(dependencies: JsonObject, compile: Compile): readonly ObjectCheck[] {
  return Object.entries(dependencies).map(([name, needed]) => {
    const check: Check = Array.isArray(needed) ? (requires(needed) as Check) : compile(needed)
    return (value, run) => !has(value, name) || check(value, run)
  })
}

function propertiesCheck(schema: JsonObject, compile: Compile): ObjectCheck {
  const own = new Map(entriesOf(schema.properties).map(([name, part]) => [name, compile(part)]))
  const patterns = entriesOf(schema.patternProperties).map(
    ([pattern, part]) => [patternOf(pattern), compile(part)] as const,
  )
  const { additionalProperties } = schema
  const other = additionalProperties === undefined ? undefined : compile(additionalProperties)
  const checksOf = (name: string): readonly Check[] => {
    const found = own.get(name)
    const matching = patterns.filter(([pattern]) => pattern.test(name)).map(([, check]) => check)
    const known = found ? [found, ...matching] : matching
    return known.length === 0 && other ? [other] : known
  }
  return (value, run) => {
    let isValid = true
    for (const name of namesOf(value)) {
      for (const check of checksOf(name)) {
        if (!run.inside(name, check, value[name])) isValid = false
      }
      if (!isValid && run.isTrial) break
    }
    return isValid
  }
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return isObject(value) ? Object.entries(value) : []
}

import { badOption } from '@token-socket/protocol'
import { arrayChecks } from './array-keywords.js'
import { isObject, type JsonObject } from './json-value.js'
import { objectChecks } from './object-keywords.js'
import type { Check, Compile } from './validation-run.js'
import { type CheckMaker, VALUE_KEYWORDS } from './value-keywords.js'

/**
 * Keywords of later drafts that constrain values. A check without them would accept what the schema
 * refuses.
 */
const UNSUPPORTED = [
  ...['$anchor', '$dynamicRef', '$recursiveRef', 'dependentRequired', 'dependentSchemas', 'maxContains'],
  ...['minContains', 'prefixItems', 'unevaluatedItems', 'unevaluatedProperties', '$async'],
]

/** Makes checks of a JSON Schema of draft-07. References lead to parts of the same schema. */
export class SchemaCompiler {
  readonly #root: unknown
  readonly #targets = new Map<string, Check>()

  constructor(root: unknown) {
    this.#root = root
  }

  /**
   * @throws RpcError `bad_option` for what is no schema, for keywords of later drafts, and for
   * references that lead nowhere
   */
  readonly compile: Compile = (schema) => {
    if (schema === true) return () => true
    if (schema === false) return (_, run) => run.fail('has to be left out')
    if (!isObject(schema)) throw badOption('schema', 'a JSON Schema: an object or a boolean')
    // In draft-07, what stands beside a reference has no meaning.
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref)
    for (const keyword of UNSUPPORTED) {
      if (Object.hasOwn(schema, keyword))
        throw badOption('schema', `of draft-07: the keyword ${keyword} can’t be checked`)
    }
    const checks = [
      ...this.#valueChecks(schema),
      ...arrayChecks(schema, this.compile),
      ...objectChecks(schema, this.compile),
      ...this.#choices(schema),
    ]
    return (value, run) => run.all(checks, value)
  }

  #valueChecks(schema: JsonObject): readonly Check[] {
    return Object.entries(VALUE_KEYWORDS).flatMap(([keyword, make]: [string, CheckMaker]) => {
      const check = Object.hasOwn(schema, keyword) ? make(schema[keyword] as never) : undefined
      return check ? [check] : []
    })
  }

  /**
   * References are compiled once; those to schemas that are still being compiled wait for the first
   * value.
   */
  #reference(pointer: string): Check {
    const known = this.#targets.get(pointer)
    if (known) return known
    let check: Check | undefined
    this.#targets.set(pointer, (value, run) => (check ? run.all([check], value) : run.fail('has no end')))
    check = this.compile(this.#target(pointer))
    this.#targets.set(pointer, check)
    return check
  }

  #target(pointer: string): unknown {
    let target = this.#root
    for (const part of pointer.split('/').slice(1)) {
      const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof target !== 'object' || target === null || !Object.hasOwn(target, key)) target = undefined
      else target = Reflect.get(target, key)
    }
    if (!/^#(\/|$)/.test(pointer) || target === undefined)
      throw badOption('schema', 'one whose references lead to parts of it')
    return target
  }

  #choices(schema: JsonObject): readonly Check[] {
    const checks: Check[] = []
    for (const part of this.#parts(schema.allOf)) checks.push(part)
    if (schema.anyOf !== undefined) checks.push(anyOf(this.#parts(schema.anyOf)))
    if (schema.oneOf !== undefined) checks.push(oneOf(this.#parts(schema.oneOf)))
    if (schema.not !== undefined) checks.push(not(this.compile(schema.not)))
    if (schema.if !== undefined) checks.push(this.#condition(schema))
    return checks
  }

  #parts(schemas: unknown): readonly Check[] {
    if (schemas === undefined) return []
    if (!Array.isArray(schemas) || schemas.length === 0)
      throw badOption('schema', 'one whose allOf, anyOf and oneOf are lists of schemas')
    return schemas.map(this.compile)
  }

  #condition(schema: JsonObject): Check {
    const condition = this.compile(schema.if)
    const [whenTrue, whenFalse] = [schema.then ?? true, schema.else ?? true].map(this.compile)
    return (value, run) => {
      const next = run.accepts(condition, value) ? whenTrue : whenFalse
      return next === undefined || next(value, run)
    }
  }
}

function anyOf(checks: readonly Check[]): Check {
  const message = `has to be one of ${checks.length} choices`
  const [only] = checks
  if (only && checks.length === 1) return only
  return (value, run) => checks.some((check) => run.accepts(check, value)) || run.fail(message)
}

function oneOf(checks: readonly Check[]): Check {
  const message = `has to be exactly one of ${checks.length} choices`
  return (value, run) => {
    let count = 0
    for (const check of checks) {
      if (run.accepts(check, value)) count += 1
      if (count > 1) break
    }
    return count === 1 || run.fail(message)
  }
}

function not(check: Check): Check {
  return (value, run) => !run.accepts(check, value) || run.fail('has to be something else')
}

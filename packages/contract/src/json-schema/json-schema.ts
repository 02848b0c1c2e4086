import { badOption } from '@token-socket/protocol'
import type { Schema } from '../schema.js'
import { Defaults } from './defaults.js'
import { isObject } from './json-value.js'
import { laterDraft } from './later-draft.js'
import { Validator } from './validator.js'

/** A JSON Schema of draft-07, as a plain object. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/** Settings of a schema that its JSON Schema has no word for. */
export interface JsonSchemaOptions {
  /** The value may be left out. @default false */
  readonly optional?: boolean | undefined
}

/**
 * Makes a schema for a contract out of a JSON Schema of draft-07. It checks all keywords of the
 * draft, and needs no `eval`, so that a page's content security policy may refuse it. References
 * lead to parts of the same schema.
 *
 * A value is checked as it is sent: without properties that are `undefined`, and with a `Date` as a
 * text. The receiver's value has the `default` of each missing property. Issues never contain the
 * value. It refuses values with more than 200 levels, and names of properties with half of a
 * surrogate pair. It also refuses values that need more than 500,000 comparisons with the schema or
 * its parts, or, for `uniqueItems`, more than 10,000,000 comparisons of items.
 *
 * Formats that are not known are not checked. A pattern is read in Unicode mode. How long it takes
 * is the schema's affair.
 *
 * @throws RpcError `bad_option` for what is no schema, for patterns that Unicode mode refuses, and
 *   for keywords of later drafts, which it would not check
 * @example
 * const schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] }
 * const double = procedure({ input: jsonSchema<{ a: number }>(schema), output: type<number>() })
 */
export function jsonSchema<T>(schema: JsonSchema, { optional = false }: JsonSchemaOptions = {}): Schema<T> {
  if (!isObject(schema)) throw badOption('schema', 'a JSON Schema: an object')
  const validator = new Validator(schema)
  const defaults = new Defaults(schema)
  const validate = (value: unknown) => {
    if (optional && value === undefined) return { value: value as T }
    const issues = validator.issuesOf(value)
    if (issues.length > 0) return { issues }
    return { value: (defaults.areThere ? defaults.fill(value) : value) as T }
  }
  return {
    '~standard': { version: 1, vendor: 'json-schema', validate, ...{ jsonSchema: converter(schema) } },
  }
}

/** Standard JSON Schema (https://standardschema.dev/json-schema): the schema itself. */
function converter(schema: JsonSchema) {
  const input = ({ target }: { readonly target: string }): unknown => {
    if (target === 'draft-07') return structuredClone(schema)
    if (target === 'draft-2020-12') return laterDraft(structuredClone(schema))
    throw new Error(`a JSON Schema of draft-07 can’t be written as ${target}`)
  }
  return { input, output: input }
}

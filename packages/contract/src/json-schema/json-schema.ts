import { badOption } from '@token-socket/protocol'
import type { Schema } from '../schema.js'
import { Defaults } from './defaults.js'
import { isObject } from './json-value.js'
import { laterDraft } from './later-draft.js'
import { SchemaCompiler } from './schema-compiler.js'
import { type Check, type FoundIssue, TooMuchWork, ValidationRun } from './validation-run.js'

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
 * A receiver gets the value with the `default` of each property that is not there. Issues never
 * hold the value. A value that is nested more than 1,000 levels deep, or needs more than 2,000,000
 * comparisons, is refused.
 *
 * Formats that are not known are not checked. A pattern is read in Unicode mode, if it can be.
 *
 * @throws RpcError `bad_option` for what is no schema, and for keywords of later drafts, which it
 * would not check
 * @example const add = procedure({ input: jsonSchema<{ a: number }>({ type: 'object', properties: {
 * a: { type: 'number' } }, required: ['a'] }) })
 */
export function jsonSchema<T>(schema: JsonSchema, { optional = false }: JsonSchemaOptions = {}): Schema<T> {
  if (!isObject(schema)) throw badOption('schema', 'a JSON Schema: an object')
  const check = new SchemaCompiler(schema).compile(schema)
  const defaults = new Defaults(schema)
  const validate = (value: unknown) => {
    if (optional && value === undefined) return { value: value as T }
    const issues = issuesOf(check, value)
    if (issues.length > 0) return { issues }
    return { value: (defaults.areThere ? defaults.fill(value) : value) as T }
  }
  return {
    '~standard': { version: 1, vendor: 'json-schema', validate, ...{ jsonSchema: converter(schema) } },
  }
}

function issuesOf(check: Check, value: unknown): readonly FoundIssue[] {
  if (value === undefined) return [{ message: 'is required', path: [] }]
  const run = new ValidationRun()
  try {
    check(value, run)
    return run.issues
  } catch (error) {
    if (error instanceof TooMuchWork) return [{ message: `has to be ${error.message}`, path: [] }]
    // The stack is full: only a value that is nested still deeper does that.
    if (error instanceof RangeError) return [{ message: 'has to be nested less deeply', path: [] }]
    throw error
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

import { isUnchecked, type Schema } from '../schema.js'
import { jsonSchemaMaker } from '../standard-json-schema.js'
import { isObject, type JsonObject } from './document.js'
import { fromJson, toJson } from './json-text.js'
import { arktypeFlags, type FlaggedPattern, withoutPatterns, zodFlagCollector } from './pattern-flags.js'

/**
 * Makes a Standard JSON Schema of a library's schemas that have none of their own, such as
 * Valibot's `toStandardJsonSchema`.
 */
export type SchemaConverter = (schema: never) => unknown

/** The JSON Schema of what travels for a schema, or why there is none. */
export type Described =
  | {
      readonly schema: JsonObject
      /** Regular expressions that the description leaves out. */
      readonly flagged: readonly FlaggedPattern[]
      readonly problem?: undefined
    }
  | { readonly problem: string }

/**
 * Describes what a sender passes for a schema, which is what travels, as JSON Schema draft-07.
 * Never throws: a schema that can't be described gives its reason.
 */
export function describeSchema(
  schema: Schema,
  converters: { readonly [vendor: string]: SchemaConverter },
): Described {
  if (isUnchecked(schema)) return { problem: 'type<T>() says nothing at run time' }
  try {
    const toSchema = jsonSchemaMaker(schema) ?? jsonSchemaMaker(convert(schema, converters))
    if (!toSchema) return { problem: `${schema['~standard'].vendor} describes it by no JSON Schema` }
    const flagged: FlaggedPattern[] =
      schema['~standard'].vendor === 'arktype' ? [...arktypeFlags(schema)] : []
    const libraryOptions = schema['~standard'].vendor === 'zod' ? zodFlagCollector(flagged) : {}
    const made: unknown = toSchema({ target: 'draft-07', libraryOptions })
    // The document is JSON: functions, symbols and getters of a library are not.
    const json: unknown = fromJson(toJson(made))
    const plain = flagged.length > 0 ? withoutPatterns(json, flagged) : json
    return isObject(plain) ? { schema: plain, flagged } : { problem: 'its JSON Schema is no object' }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function convert(schema: Schema, converters: { readonly [vendor: string]: SchemaConverter }): unknown {
  const { vendor } = schema['~standard']
  if (!Object.hasOwn(converters, vendor)) return undefined
  return converters[vendor]?.(schema as never)
}

/** Whether a schema accepts that nothing is passed, as far as it says so at once. */
export function acceptsNothing(schema: Schema): boolean {
  try {
    const result = schema['~standard'].validate(undefined)
    if (!(result instanceof Promise)) return result.issues === undefined
    result.catch(() => undefined)
    return false
  } catch {
    return false
  }
}

import type { Schema } from '../../schema.js'
import { jsonSchemaMaker } from '../../standard-json-schema.js'

/** A JSON Schema, or why there is none. */
export type JsonSchemaOf =
  | { readonly schema: Readonly<Record<string, unknown>> }
  | { readonly missing: string }

const TARGET = { target: 'draft-2020-12' }

/**
 * The JSON Schema of what travels, which a schema may lack, or refuse for what JSON does not have.
 */
export function jsonSchemaOf(schema: Schema): JsonSchemaOf {
  const { vendor } = schema['~standard']
  const make = jsonSchemaMaker(schema)
  if (!make) return { missing: adviceFor(vendor) }
  try {
    return { schema: make(TARGET) as Record<string, unknown> }
  } catch (error) {
    return { missing: `its schema has no JSON Schema: ${error instanceof Error ? error.message : vendor}` }
  }
}

function adviceFor(vendor: string): string {
  const none = 'its schema has no JSON Schema'
  if (vendor === 'valibot') return `${none}: wrap it in toStandardJsonSchema of @valibot/to-json-schema`
  return vendor === 'token-socket' ? `${none}: type<T>() says nothing at run time` : none
}

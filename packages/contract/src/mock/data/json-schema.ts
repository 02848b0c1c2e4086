import type { Schema } from '../../schema.js'

/** A JSON Schema, or why there is none. */
export type JsonSchemaOf =
  | { readonly schema: Readonly<Record<string, unknown>> }
  | { readonly missing: string }

/** The part of Standard JSON Schema that data is made of. */
interface JsonSchemaMaker {
  input(options: { readonly target: string }): Record<string, unknown>
}

const TARGET = { target: 'draft-2020-12' }

/**
 * The JSON Schema of what travels: of a schema's input, before its transforms. By Standard JSON
 * Schema (https://standardschema.dev/json-schema), which a schema may lack, or refuse for what JSON
 * does not have.
 */
export function jsonSchemaOf(schema: Schema): JsonSchemaOf {
  const { jsonSchema, vendor } = schema['~standard'] as Schema['~standard'] & {
    readonly jsonSchema?: JsonSchemaMaker
  }
  if (!jsonSchema) return { missing: adviceFor(vendor) }
  try {
    return { schema: jsonSchema.input(TARGET) }
  } catch (error) {
    return { missing: `its schema has no JSON Schema: ${error instanceof Error ? error.message : vendor}` }
  }
}

function adviceFor(vendor: string): string {
  const none = 'its schema has no JSON Schema'
  if (vendor === 'valibot') return `${none}: wrap it in toStandardJsonSchema of @valibot/to-json-schema`
  return vendor === 'token-socket' ? `${none}: type<T>() says nothing at run time` : none
}

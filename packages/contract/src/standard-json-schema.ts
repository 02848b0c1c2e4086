/**
 * Returns the JSON Schema of the value that is sent: of a schema's input, before its transforms.
 */
export type JsonSchemaMaker = (options: Readonly<Record<string, unknown>>) => unknown

/**
 * The function of a schema's input side, by Standard JSON Schema
 * (https://standardschema.dev/json-schema). A schema may lack it. It throws for what JSON does not
 * have.
 *
 * @param schema whatever a library made
 */
export function jsonSchemaMaker(schema: unknown): JsonSchemaMaker | undefined {
  const converter = property(property(schema, '~standard'), 'jsonSchema')
  const input = property(converter, 'input')
  return typeof input === 'function' ? (options) => Reflect.apply(input, converter, [options]) : undefined
}

function property(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return Reflect.get(value, name)
}

import { jsonSchema } from '../json-schema/index.js'
import { ModelError } from './model-error.js'
import type { ModelSchemas } from './model-schemas.js'

/**
 * Makes each schema once, as the generated contract will, so that what can't be checked is found
 * now.
 * @throws ModelError which names the schema
 */
export function checkSchemas({ definitions }: ModelSchemas): void {
  for (const [name, { schema, pointer, uses }] of definitions) {
    // What it refers to has its own turn.
    const others = uses.map((one) => [one, true] as const)
    try {
      jsonSchema(referenceTo(name, [...others, [name, schema]]))
    } catch (error) {
      throw new ModelError(pointer, textOf(error))
    }
  }
  checkChains(definitions)
}

/** The checks of schemas that refer to one another are made inside one another. */
function checkChains(definitions: ModelSchemas['definitions']): void {
  const all = [...definitions].map(([name, { schema }]) => [name, schema] as const)
  const [first] = definitions
  if (first === undefined) return
  try {
    jsonSchema({
      anyOf: [...definitions.keys()].map((name) => referenceTo(name)),
      definitions: Object.fromEntries(all),
    })
  } catch (error) {
    const isDeep = error instanceof RangeError
    throw new ModelError('#', isDeep ? 'its schemas refer to one another in too long a row' : textOf(error))
  }
}

function referenceTo(name: string, definitions?: readonly (readonly [name: string, schema: unknown])[]) {
  const reference = { $ref: `#/definitions/${name}` }
  return definitions ? { ...reference, definitions: Object.fromEntries(definitions) } : reference
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

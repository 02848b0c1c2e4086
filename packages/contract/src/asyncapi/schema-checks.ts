import { jsonSchema } from '../json-schema/index.js'
import { ModelError } from './model-error.js'
import type { ModelSchemas } from './model-schemas.js'

/**
 * Makes each schema once, as the generated contract will, so that what can't be checked is found
 * now.
 * @throws ModelError which names the schema
 */
export function checkSchemas(schemas: ModelSchemas): void {
  for (const [name, { pointer }] of schemas.definitions) {
    const entries = [name, ...schemas.usedBy(name)].map((one) => [one, schemas.definitions.get(one)?.schema])
    try {
      jsonSchema({ $ref: `#/definitions/${name}`, definitions: Object.fromEntries(entries) })
    } catch (error) {
      throw new ModelError(pointer, error instanceof Error ? error.message : String(error))
    }
  }
}

import { ModelError } from './model-error.js'
import type { ModelSchemas } from './model-schemas.js'
import { loadPackage, MissingPackageError } from './optional-package.js'

interface Zod {
  readonly z?: { fromJSONSchema?(schema: unknown, options: unknown): unknown }
}

/**
 * Makes each schema once, as the generated contract will, so that what the library refuses is found now.
 * @throws ModelError which names the schema
 * @throws MissingPackageError without `zod`
 */
export async function checkSchemas(schemas: ModelSchemas): Promise<void> {
  const { z } = await loadPackage<Zod>('zod', () => import('zod'))
  if (!z?.fromJSONSchema) throw new MissingPackageError('zod@latest')
  for (const [name, { pointer }] of schemas.definitions) {
    const entries = [name, ...schemas.usedBy(name)].map((one) => [one, schemas.definitions.get(one)?.schema])
    const schema = { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(entries) }
    try {
      z.fromJSONSchema(schema, { defaultTarget: 'draft-7' })
    } catch (error) {
      throw new ModelError(pointer, error instanceof Error ? error.message : String(error))
    }
  }
}

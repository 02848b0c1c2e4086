import { ModelError } from './model-error.js'
import type { ModelSchemas } from './model-schemas.js'
import { loadPackage, MissingPackageError } from './optional-package.js'

/** Makes a schema of Zod of a JSON Schema. */
export type SchemaMaker = (schema: unknown, options: { readonly defaultTarget: 'draft-7' }) => unknown

interface Zod {
  readonly z?: { readonly fromJSONSchema?: SchemaMaker }
}

/**
 * @throws MissingPackageError without `zod`, or with a version that makes no schemas of JSON
 *   Schemas
 */
export async function loadSchemaMaker(): Promise<SchemaMaker> {
  const { z } = await loadPackage<Zod>('zod', () => import('zod'))
  if (!z?.fromJSONSchema) throw new MissingPackageError(['zod@4'])
  return z.fromJSONSchema
}

/**
 * Makes each schema once, as the generated contract will, so that what the library refuses is found
 * now.
 * @throws ModelError which names the schema
 */
export function checkSchemas(schemas: ModelSchemas, makeSchema: SchemaMaker): void {
  for (const [name, { pointer }] of schemas.definitions) {
    const entries = [name, ...schemas.usedBy(name)].map((one) => [one, schemas.definitions.get(one)?.schema])
    const schema = { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(entries) }
    try {
      makeSchema(schema, { defaultTarget: 'draft-7' })
    } catch (error) {
      throw new ModelError(pointer, error instanceof Error ? error.message : String(error))
    }
  }
}

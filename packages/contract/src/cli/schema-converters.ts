import type { SchemaConverter } from '../asyncapi/json-schema.js'
import { loadPackage, MissingPackageError } from '../asyncapi/optional-package.js'
import type { Contract } from '../contract.js'
import { operationsOf } from '../operations.js'
import type { Schema } from '../schema.js'

/** Functions that describe the schemas of a library, by its vendor. */
export type Converters = { readonly [vendor: string]: SchemaConverter }

/**
 * Loads what describes a contract's Valibot schemas, if it has some that don't describe themselves.
 * @param report receives a sentence where the package is missing
 */
export async function loadConverters(
  contract: Contract,
  report: (text: string) => void,
): Promise<Converters> {
  if (![...schemasOf(contract)].some(needsValibot)) return {}
  try {
    const name = '@valibot/to-json-schema'
    const { toStandardJsonSchema } = await loadPackage<{ readonly toStandardJsonSchema: SchemaConverter }>(
      name,
      () => import('@valibot/to-json-schema'),
    )
    return { valibot: toStandardJsonSchema }
  } catch (error) {
    if (!(error instanceof MissingPackageError)) throw error
    report(error.message)
    return {}
  }
}

function needsValibot(schema: Schema): boolean {
  const standard = schema['~standard']
  return standard.vendor === 'valibot' && !('jsonSchema' in standard)
}

function* schemasOf({ definition }: Contract): Generator<Schema> {
  const { server, client, both, channels = {} } = definition
  for (const tree of [server, client, both]) {
    for (const { procedure } of operationsOf(tree)) {
      const { input, output, errors } = procedure['~procedure']
      for (const schema of [input, output, ...Object.values(errors ?? {})]) if (schema) yield schema
    }
  }
  for (const { events, presence } of Object.values(channels)) {
    yield* Object.values(events)
    if (presence) yield presence
  }
}

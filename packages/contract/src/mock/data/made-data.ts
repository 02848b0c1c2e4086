import { decodeData, encodeData, RpcError } from '@token-socket/protocol'
import type { Schema } from '../../schema.js'
import { jsonSchemaOf } from './json-schema.js'
import { fakeData } from './json-schema-faker.js'
import { seedOf } from './seed.js'

/** What data is made for. */
export interface DataPurpose {
  /** The operation's dotted name, for errors. */
  readonly name: string
  /** What of the operation it is, such as `output`. */
  readonly part: string
  /** The same seed gives the same data. */
  readonly seed: string
}

/**
 * How often data is made anew before the schema counts as one that can't be met: `refine` and
 * patterns refuse some.
 */
const ATTEMPTS = 200

/**
 * Data that a schema accepts: what a sender would send, before transforms.
 * @throws RpcError `no_mock_data`, which names the operation: a schema without JSON Schema, or one
 *   that refuses all that was made
 */
export async function makeData(schema: Schema, purpose: DataPurpose): Promise<unknown> {
  const found = jsonSchemaOf(schema)
  if ('missing' in found) throw noData(purpose, found.missing)
  let reason = ''
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const data = decodeData(encodeData(fakeOf(found.schema, `${purpose.seed}:${attempt}`, attempt)))
      const result = await schema['~standard'].validate(data)
      if (!result.issues) return data
      reason = 'its schema refuses whatever is made of its JSON Schema'
    } catch (error) {
      reason = `its schema fails: ${error instanceof Error ? error.message : 'it throws'}`
    }
  }
  throw noData(purpose, reason)
}

/** Later attempts leave optional properties out more often: recursive schemas end sooner. */
function fakeOf(schema: Readonly<Record<string, unknown>>, seed: string, attempt: number): unknown {
  return fakeData(schema, { seed: seedOf(seed), optionals: attempt < ATTEMPTS / 4 ? 0.8 : 0.3 })
}

function noData({ name, part }: DataPurpose, reason: string): RpcError {
  const text = `No data can be made for the ${part} of ${name}: ${reason}. Pass a handler for ${name}`
  return new RpcError('no_mock_data', text, { function: name })
}

import type { Contract } from '../../contract.js'
import { makeData } from './made-data.js'

/**
 * What others see of a user (`umd`): data that is made from what the channels of a contract have as
 * presence, of several channels together. The same `uid` has the same data.
 * @returns `undefined` if no channel has presence, or no data can be made for it
 */
export function madeUmd(
  { definition: { channels = {} } }: Contract,
  uid: string,
): Promise<unknown> | undefined {
  const schemas = Object.entries(channels).flatMap(([name, { presence }]) =>
    presence ? [[name, presence] as const] : [],
  )
  if (schemas.length === 0) return undefined
  const made = schemas.map(([name, schema]) =>
    makeData(schema, { name, part: 'presence', seed: `umd:${uid}` }).catch(() => undefined),
  )
  return Promise.all(made).then((all) => all.reduce(together))
}

function together(one: unknown, other: unknown): unknown {
  const areObjects = typeof one === 'object' && typeof other === 'object'
  return areObjects ? { ...one, ...other } : (one ?? other)
}

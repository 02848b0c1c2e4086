import type { Engine } from '../engine.js'
import { badOption } from '../option-checks.js'

/** What an engine is used by. */
type Owner = 'server' | 'publisher'

/** Engines are used until they are closed, and a closed one is of no use. */
const OWNERS = new WeakMap<object, Owner>()

/**
 * Notes who uses an engine. A publisher has one to itself: it takes the process out of the nodes, and closes the engine.
 * @throws RpcError `bad_option`
 */
export function takeEngine(engine: Engine, owner: Owner): void {
  const other = OWNERS.get(engine)
  if (other !== undefined && (owner === 'publisher' || other === 'publisher'))
    throw badOption('engine', `is a ${other}'s already: make one for each, such as redisEngine({ url })`)
  OWNERS.set(engine, owner)
}

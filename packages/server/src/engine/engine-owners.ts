import { badOption } from '../options/option-checks.js'
import { processWide } from '../runtime/process-wide.js'
import type { Engine } from './engine.js'
import { isInMemory } from './memory-engine.js'

/** The server or publisher that uses an engine, or that the engine was closed. */
type Owner = 'server' | 'publisher' | 'closed'

const OWNERS = processWide<Engine, Owner>('engine owners 1')

const MAKE_ONE = 'make one for each, such as redisEngine({ url })'

const REASONS: Readonly<Record<Owner, string>> = {
  server: `is a server's already: ${MAKE_ONE}`,
  publisher: `is a publisher's already: ${MAKE_ONE}`,
  closed: 'is closed, as shutdown() does it: make a new one',
}

/**
 * An engine reports to one server or publisher: a second one would get no reports.
 * @throws RpcError `bad_option` if the engine is in use or closed
 */
export function checkEngineIsFree(engine: Engine): void {
  const other = OWNERS.get(engine)
  if (other !== undefined) throw badOption('engine', REASONS[other])
}

/**
 * Reserves an engine.
 * @returns a function to call when it is closed. An engine in memory, which holds nothing open, may
 *   be used again then
 */
export function takeEngine(engine: Engine, owner: 'server' | 'publisher'): () => void {
  OWNERS.set(engine, owner)
  return () => {
    if (isInMemory(engine)) OWNERS.delete(engine)
    else OWNERS.set(engine, 'closed')
  }
}

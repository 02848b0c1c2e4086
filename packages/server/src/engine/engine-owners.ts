import { badOption } from '../options/option-checks.js'
import { processWide } from '../runtime/process-wide.js'
import type { Engine } from './engine.js'
import { isInMemory } from './memory-engine.js'

/** What an engine is used by, or that it was closed. */
type Owner = 'server' | 'publisher' | 'closed'

const OWNERS = processWide<Engine, Owner>('engine owners 1')

const MAKE_ONE = 'make one for each, such as redisEngine({ url })'

const REASONS: Readonly<Record<Owner, string>> = {
  server: `is a server's already: ${MAKE_ONE}`,
  publisher: `is a publisher's already: ${MAKE_ONE}`,
  closed: 'is closed, as shutdown() does it: make a new one',
}

/**
 * An engine tells one server, or publisher, what happens: of two, one would miss it.
 * @throws RpcError `bad_option` if the engine is in use, or closed
 */
export function checkEngineIsFree(engine: Engine): void {
  const other = OWNERS.get(engine)
  if (other !== undefined) throw badOption('engine', REASONS[other])
}

/**
 * Keeps an engine from others.
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

import { type Engine, MemoryEngine } from '@token-socket/server'

/** An engine of its own whose tickets are another's. */
export function sharingTickets(engine: Engine): Engine {
  const own = new MemoryEngine()
  return {
    name: 'half',
    shared: false,
    broker: own.broker,
    history: own.history,
    presence: own.presence,
    tickets: engine.tickets,
    nodes: own.nodes,
    close: () => own.close(),
  }
}

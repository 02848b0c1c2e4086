import { Deadlines, refusal } from '@token-socket/protocol'
import type { Broker, BrokerListener, Engine, NodeCommand, Tickets } from './engine.js'

/** Limits of a {@link MemoryEngine}. */
export interface MemoryEngineOptions {
  /** How many tickets may wait to be used. @default 100000 */
  readonly tickets?: number
}

/** The default engine: one process, nothing kept when it ends. */
export class MemoryEngine implements Engine {
  readonly name = 'memory'
  readonly shared = false
  readonly broker: Broker = new MemoryBroker()
  readonly tickets: Tickets
  readonly #tickets: MemoryTickets

  constructor(options: MemoryEngineOptions = {}) {
    this.#tickets = new MemoryTickets(options.tickets ?? 100_000)
    this.tickets = this.#tickets
  }

  async close(): Promise<void> {
    this.#tickets.clear()
  }
}

class MemoryBroker implements Broker {
  readonly #channels = new Set<string>()
  /** What is being delivered, and what was published meanwhile: everybody hears it in one order. */
  readonly #queue: (() => void)[] = []
  #listener: BrokerListener | undefined

  listen(listener: BrokerListener): void {
    this.#listener = listener
  }

  async subscribe(channel: string): Promise<void> {
    this.#channels.add(channel)
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#channels.delete(channel)
  }

  async publish(channel: string, json: string): Promise<void> {
    this.#deliver(() => this.#channels.has(channel) && this.#listener?.publication(channel, json))
  }

  async broadcast(json: string): Promise<void> {
    this.#deliver(() => this.#listener?.broadcast(json))
  }

  async command(command: NodeCommand): Promise<void> {
    this.#deliver(() => this.#listener?.command(command))
  }

  #deliver(run: () => void): void {
    this.#queue.push(run)
    if (this.#queue.length > 1) return
    for (let next = this.#queue[0]; next; next = this.#queue[0]) {
      next()
      this.#queue.shift()
    }
  }
}

class MemoryTickets implements Tickets {
  readonly #tickets = new Map<string, string>()
  readonly #deadlines = new Deadlines<string>((id) => this.#tickets.delete(id))
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  async put(id: string, json: string, ttl: number): Promise<void> {
    if (this.#tickets.size >= this.#limit)
      throw refusal('too_many_tickets', { field: 'tickets', limit: this.#limit })
    this.#tickets.set(id, json)
    this.#deadlines.set(id, ttl)
  }

  async take(id: string): Promise<string | undefined> {
    const json = this.#tickets.get(id)
    this.#tickets.delete(id)
    this.#deadlines.delete(id)
    return json
  }

  clear(): void {
    this.#tickets.clear()
    this.#deadlines.clear()
  }
}

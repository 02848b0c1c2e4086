import { Deadlines } from '@token-socket/protocol'
import { MemoryTickets } from './engine/memory-tickets.js'
import type {
  Broker,
  BrokerListener,
  Draft,
  Engine,
  History,
  NodeCommand,
  Presence,
  Publication,
  PublishOptions,
  Receipt,
  Tickets,
} from './engine.js'
import { EventIds, receiptOf } from './event-ids.js'
import { LocalDelivery } from './local-delivery.js'
import { MemoryHistory } from './memory-history.js'
import { MemoryPresence } from './memory-presence.js'
import { checkNumber } from './option-checks.js'
import { SoleNodes } from './sole-nodes.js'

/** Limits of a {@link MemoryEngine}. */
export interface MemoryEngineOptions {
  /** How many tickets may wait to be used, and how many ids of used tokens are known. @default 100000 */
  readonly tickets?: number
  /** Bytes of the tickets that may wait, as JSON; a quarter of them for one user or address. @default 268435456 */
  readonly ticketBytes?: number
  /** How many idempotency keys are known, each for five minutes. @default 100000 */
  readonly idempotencyKeys?: number
}

/** Milliseconds for which an idempotency key is known. */
const KEY_TTL = 300_000

/** Bytes. */
const MIB = 1024 * 1024

/** The default engine: one process, nothing kept when it ends. */
export class MemoryEngine implements Engine {
  readonly name = 'memory'
  readonly shared = false
  readonly broker: Broker
  readonly history: History
  readonly presence: Presence
  readonly tickets: Tickets
  readonly nodes = new SoleNodes()
  readonly #delivery = new LocalDelivery()
  readonly #history = new MemoryHistory()
  readonly #presence = new MemoryPresence((event) => this.#delivery.presence(event))
  readonly #receipts: Receipts
  readonly #tickets: MemoryTickets

  /** @throws RpcError `bad_option` */
  constructor(options: MemoryEngineOptions = {}) {
    const { tickets = 100_000, ticketBytes = 256 * MIB, idempotencyKeys = 100_000 } = options
    checkNumber('tickets', tickets)
    checkNumber('ticketBytes', ticketBytes)
    checkNumber('idempotencyKeys', idempotencyKeys)
    this.#tickets = new MemoryTickets({ tickets, ticketBytes })
    this.#receipts = new Receipts(idempotencyKeys)
    this.tickets = this.#tickets
    this.history = this.#history
    this.presence = this.#presence
    this.broker = new MemoryBroker(this.#delivery, this.#history, this.#receipts)
  }

  async close(): Promise<void> {
    this.#tickets.clear()
    this.#receipts.clear()
    this.#history.clear()
    this.#presence.clear()
  }
}

class MemoryBroker implements Broker {
  readonly #delivery: LocalDelivery
  readonly #ids = new EventIds()
  readonly #history: MemoryHistory
  readonly #receipts: Receipts

  constructor(delivery: LocalDelivery, history: MemoryHistory, receipts: Receipts) {
    this.#delivery = delivery
    this.#history = history
    this.#receipts = receipts
  }

  listen(listener: BrokerListener): void {
    this.#delivery.listen(listener)
  }

  async subscribe(channel: string): Promise<void> {
    this.#delivery.subscribe(channel)
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#delivery.unsubscribe(channel)
  }

  async publish(draft: Draft, { retention, idempotencyKey }: PublishOptions = {}): Promise<Receipt> {
    const known = idempotencyKey === undefined ? undefined : this.#receipts.get(draft.channel, idempotencyKey)
    if (known) return known
    const id = this.#ids.next()
    const publication: Publication = retention ? this.#history.add(draft, id, retention) : { ...draft, id }
    const receipt = receiptOf(publication)
    if (idempotencyKey !== undefined) this.#receipts.put(draft.channel, idempotencyKey, receipt)
    this.#delivery.publication(publication)
    return receipt
  }

  async broadcast(json: string): Promise<void> {
    this.#delivery.broadcast(json)
  }

  async command(command: NodeCommand): Promise<void> {
    this.#delivery.command(command)
  }
}

/** The receipts of publications that had an idempotency key. Over the limit the oldest are forgotten first. */
class Receipts {
  readonly #receipts = new Map<string, Receipt>()
  readonly #deadlines = new Deadlines<string>((key) => this.#receipts.delete(key))
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get(channel: string, key: string): Receipt | undefined {
    return this.#receipts.get(nameOf(channel, key))
  }

  put(channel: string, key: string, receipt: Receipt): void {
    const [oldest] = this.#receipts.keys()
    if (this.#receipts.size >= this.#limit && oldest !== undefined) this.#forget(oldest)
    this.#receipts.set(nameOf(channel, key), receipt)
    this.#deadlines.set(nameOf(channel, key), KEY_TTL)
  }

  clear(): void {
    this.#receipts.clear()
    this.#deadlines.clear()
  }

  #forget(name: string): void {
    this.#receipts.delete(name)
    this.#deadlines.delete(name)
  }
}

/** No two pairs have the same. */
function nameOf(channel: string, key: string): string {
  return `${channel.length}:${channel}${key}`
}

import { checkNumber, checkOptions, type Given, withoutUndefined } from '../options/option-checks.js'
import { processWide } from '../runtime/process-wide.js'
import type {
  Broker,
  BrokerListener,
  Draft,
  Engine,
  EvictionListener,
  History,
  NodeCommand,
  Presence,
  Publication,
  PublishOptions,
  Rates,
  Receipt,
  Tickets,
} from './engine.js'
import { EventIds, receiptOf } from './event-ids.js'
import { LocalDelivery } from './local-delivery.js'
import { MemoryHistory } from './memory-history.js'
import { MemoryPresence } from './memory-presence.js'
import { MemoryRates } from './memory-rates.js'
import { MemoryReceipts } from './memory-receipts.js'
import { MemoryTickets } from './memory-tickets.js'
import { SingleNode } from './single-node.js'

/** Limits of a {@link MemoryEngine}. */
export interface MemoryEngineOptions {
  /** How many tickets may wait to be used, and how many ids of used tokens are known. @default 100000 */
  readonly tickets?: number | undefined
  /** Bytes of the tickets that may wait, as JSON; a quarter of them for one user or address. @default 268435456 */
  readonly ticketBytes?: number | undefined
  /** How many idempotency keys are known in all, each for five minutes. Over it the oldest is forgotten. @default 100000 */
  readonly idempotencyKeys?: number | undefined
  /** Members that all channels with presence may have together; one more is `too_many_members`. @default 1000000 */
  readonly presences?: number | undefined
  /**
   * Channels whose position is known: those that keep publications, and those that did in the last day. With one more, the
   * one that has been idle for longest is forgotten: its clients are told of a gap. @default 1000000
   */
  readonly channels?: number | undefined
  /** Bytes of the publications that one channel keeps, about; over it the oldest go. @default 16777216 */
  readonly channelBytes?: number | undefined
  /**
   * Bytes of what all channels keep, about; over it, the channel that was published on least recently keeps nothing any
   * more. @default 268435456
   */
  readonly historyBytes?: number | undefined
}

/** Bytes. */
const MIB = 1024 * 1024

const LIMITS: Required<Given<MemoryEngineOptions>> = {
  tickets: 100_000,
  ticketBytes: 256 * MIB,
  idempotencyKeys: 100_000,
  presences: 1_000_000,
  channels: 1_000_000,
  channelBytes: 16 * MIB,
  historyBytes: 256 * MIB,
}

const IN_MEMORY = processWide<object, true>('engines in memory 1')

/** Whether an engine is a {@link MemoryEngine}, of this copy of the package or of another one. */
export function isInMemory(engine: object): boolean {
  return IN_MEMORY.has(engine)
}

/** The default engine: one process, nothing kept when it ends. */
export class MemoryEngine implements Engine {
  readonly name = 'memory'
  readonly shared = false
  readonly broker: Broker
  readonly history: History
  readonly presence: Presence
  readonly tickets: Tickets
  readonly nodes = new SingleNode()
  readonly rates: Rates
  readonly #delivery = new LocalDelivery()
  readonly #history: MemoryHistory
  readonly #presence: MemoryPresence
  readonly #receipts: MemoryReceipts
  readonly #tickets: MemoryTickets
  readonly #rates = new MemoryRates()
  #onevict: EvictionListener = () => {}

  /** @throws RpcError `bad_option` */
  constructor(options: MemoryEngineOptions = {}) {
    checkOptions(options)
    const limits = { ...LIMITS, ...withoutUndefined(options) }
    for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) checkNumber(name, limits[name])
    const onevict: EvictionListener = (limit) => this.#onevict(limit)
    IN_MEMORY.set(this, true)
    this.#tickets = new MemoryTickets(limits, onevict)
    this.#receipts = new MemoryReceipts(limits.idempotencyKeys, onevict)
    this.#history = new MemoryHistory(limits, onevict)
    this.#presence = new MemoryPresence((event) => this.#delivery.presence(event), limits.presences)
    this.tickets = this.#tickets
    this.rates = this.#rates
    this.history = this.#history
    this.presence = this.#presence
    this.broker = new MemoryBroker(this.#delivery, this.#history, this.#receipts)
  }

  watchEvictions(listener: EvictionListener): void {
    this.#onevict = listener
  }

  async close(): Promise<void> {
    this.#tickets.clear()
    this.#receipts.clear()
    this.#history.clear()
    this.#presence.clear()
    this.#rates.clear()
  }
}

class MemoryBroker implements Broker {
  readonly #delivery: LocalDelivery
  readonly #ids = new EventIds()
  readonly #history: MemoryHistory
  readonly #receipts: MemoryReceipts

  constructor(delivery: LocalDelivery, history: MemoryHistory, receipts: MemoryReceipts) {
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

  async publish(draft: Draft, options: PublishOptions = {}): Promise<Receipt> {
    const { retention } = options
    const known = this.#receipts.get(draft.channel, options)
    if (known) return known
    const id = this.#ids.next()
    const publication: Publication = retention ? this.#history.add(draft, id, retention) : { ...draft, id }
    const receipt = receiptOf(publication)
    this.#receipts.put(draft.channel, options, receipt)
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

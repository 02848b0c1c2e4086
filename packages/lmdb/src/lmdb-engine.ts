import {
  type Broker,
  type BrokerListener,
  badOption,
  checkNumber,
  checkOptions,
  type Draft,
  type Engine,
  type EvictionListener,
  type History,
  LocalDelivery,
  MemoryEngine,
  MemoryPresence,
  type NodeCommand,
  type Presence,
  type Publication,
  type PublishOptions,
  type Rates,
  type Receipt,
  receiptOf,
  SingleNode,
  type Tickets,
} from '@token-socket/server/engine'
import { type Added, Store } from './store.js'
import type { ChannelLimits } from './stored-channels.js'

/** Settings of an {@link LmdbEngine}. */
export interface LmdbEngineOptions {
  /**
   * The folder of the database, which is created if it does not exist. One process at a time may
   * use it. Required.
   */
  readonly path: string
  /** Unused tickets, at most. @default 100000 */
  readonly tickets?: number | undefined
  /**
   * Bytes of the unused tickets, as JSON; a quarter of them for one user or address. @default
   * 268435456
   */
  readonly ticketBytes?: number | undefined
  /**
   * Members of all channels with presence together. A further one is refused with
   * `too_many_members`. @default 1000000
   */
  readonly presences?: number | undefined
  /**
   * Channels whose position is kept: those with kept publications, and those that had some in the
   * last day. Over this limit, the channel that has been idle for longest is removed, and its
   * clients receive a gap. @default 1000000
   */
  readonly channels?: number | undefined
  /**
   * Bytes of the kept publications of one channel, approximately. Over this limit the oldest are
   * removed. @default 16777216
   */
  readonly channelBytes?: number | undefined
  /**
   * Bytes of the kept publications of all channels, approximately. Over this limit those that
   * expire first are removed. @default 1073741824
   */
  readonly historyBytes?: number | undefined
}

const LIMITS: ChannelLimits = {
  channels: 1_000_000,
  channelBytes: 16 * 1024 * 1024,
  historyBytes: 1024 * 1024 * 1024,
}

/**
 * Creates an engine of one process on an embedded database. @throws RpcError `bad_option`; if the
 * folder cannot be used
 */
export function lmdbEngine(options: LmdbEngineOptions): Engine {
  return new LmdbEngine(options)
}

/**
 * An engine of one process that keeps data in an embedded database, through crashes of the process:
 * publications, positions, idempotency keys, and the ids of tokens that work once. A publication is
 * acknowledged and delivered after its commit; those of one turn are committed together. Tickets,
 * members and rates are kept in memory. Tickets are valid for seconds, and members depend on this
 * process's sockets: after a restart, clients request new tokens and reconnect. Rates are full
 * again within seconds.
 */
export class LmdbEngine implements Engine {
  readonly name = 'lmdb'
  readonly shared = false
  readonly broker: Broker
  readonly history: History
  readonly presence: Presence
  readonly tickets: Tickets
  readonly nodes = new SingleNode()
  readonly rates: Rates
  readonly #presence: MemoryPresence
  readonly #memory: MemoryEngine
  readonly #store: Store

  /** @throws RpcError `bad_option`; if the folder cannot be used */
  constructor(options: LmdbEngineOptions) {
    checkOptions(options)
    const { path, tickets, ticketBytes, presences = 1_000_000 } = options
    if (typeof path !== 'string' || path === '') throw badOption('path', 'has to name a folder')
    this.#memory = new MemoryEngine({
      ...(tickets !== undefined && { tickets }),
      ...(ticketBytes !== undefined && { ticketBytes }),
    })
    checkNumber('presences', presences)
    this.#store = new Store(path, limitsOf(options))
    const { tickets: memory } = this.#memory
    this.tickets = {
      put: (ticket) => memory.put(ticket),
      take: (id) => memory.take(id),
      claim: (id, ttl) => this.#store.claim(id, ttl),
      revoke: async (owner, ttl) => {
        await Promise.all([memory.revoke(owner, ttl), this.#store.revoke(owner, ttl)])
      },
      revoked: async (owner) => this.#store.revoked(owner),
    }
    this.rates = this.#memory.rates
    this.history = this.#store
    const delivery = new LocalDelivery()
    this.#presence = new MemoryPresence((event) => delivery.presence(event), presences)
    this.presence = this.#presence
    this.broker = new LmdbBroker(this.#store, delivery)
  }

  watchEvictions(listener: EvictionListener): void {
    this.#store.watchEvictions(listener)
    this.#memory.watchEvictions(listener)
  }

  async close(): Promise<void> {
    this.#presence.clear()
    await this.#memory.close()
    await this.#store.close()
  }
}

function limitsOf(options: LmdbEngineOptions): ChannelLimits {
  const {
    channels = LIMITS.channels,
    channelBytes = LIMITS.channelBytes,
    historyBytes = LIMITS.historyBytes,
  } = options
  const limits = { channels, channelBytes, historyBytes }
  for (const [name, limit] of Object.entries(limits)) checkNumber(name, limit)
  return limits
}

class LmdbBroker implements Broker {
  readonly #delivery: LocalDelivery
  readonly #store: Store
  /** Resolves when everything before has been delivered. */
  #heard: Promise<unknown> = Promise.resolve()

  constructor(store: Store, delivery: LocalDelivery) {
    this.#store = store
    this.#delivery = delivery
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
    return this.#inOrder(this.#add(draft, options), ({ receipt, publication }) => {
      if (publication) this.#delivery.publication(publication)
      return receipt
    })
  }

  async broadcast(json: string): Promise<void> {
    return this.#inOrder(json, () => this.#delivery.broadcast(json))
  }

  async command(command: NodeCommand): Promise<void> {
    return this.#inOrder(command, () => this.#delivery.command(command))
  }

  #add(draft: Draft, options: PublishOptions): Added | Promise<Added> {
    const { retention, idempotencyKey } = options
    if (retention !== undefined || idempotencyKey !== undefined) return this.#store.add(draft, options)
    const publication: Publication = { ...draft, id: this.#store.nextId() }
    return { receipt: receiptOf(publication), publication }
  }

  /** Continues with a result when everything before has been delivered. A failed one is skipped. */
  #inOrder<T, Result>(ready: T | Promise<T>, run: (value: T) => Result): Promise<Result> {
    const before = this.#heard
    const done = Promise.resolve(ready).then(async (value) => {
      await before
      return run(value)
    })
    this.#heard = done.catch(() => {})
    return done
  }
}

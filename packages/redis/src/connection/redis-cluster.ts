import timers from 'node:timers'
import { startTimeout } from '@token-socket/protocol'
import { type Primaries, Primary, type PrimaryOwner } from './primaries.js'
import { asking, Redirection } from './redirection.js'
import { unavailable } from './redis-connection.js'
import { type Address, type ClusterSource, nameOf, type RedisHandle } from './redis-handle.js'
import { type SlotOutcome, SlotQueue, type SlotTask } from './slot-queue.js'
import { slotOf } from './slots.js'

/** Kept when the module loads: test tools replace the global with one that waits for a clock. */
const { setImmediate } = timers

/** Dependencies of a {@link RedisCluster}. */
export interface ClusterOwner extends Omit<PrimaryOwner, 'open' | 'isCluster' | 'isReplaceable'> {
  readonly source: ClusterSource
}

/**
 * Milliseconds before an answer is requested again; before the primary of an uncovered slot is
 * searched again; and between two checks of a cluster that is away, at most.
 */
const PAUSE = { again: 50, search: 200, look: 2000 }

/** A function that uses a client. */
type Use<Result> = (client: RedisHandle) => Promise<Result>

/** An operation on one slot. */
interface Operation<Result> {
  readonly slot: number
  readonly use: Use<Result>
  /** When it is given up, by `performance.now()`. */
  readonly end: number
  resolve(result: Result): void
  reject(error: unknown): void
}

/**
 * How often a command follows reported moves of its slot until it is given up. While a slot is
 * being moved, only the time counts.
 */
const REDIRECTIONS = 16

/**
 * The primaries of a cluster. Each has the keys of some slots, and a connection of its own that is
 * restored automatically: one that is away does not affect the others. The topology is read again
 * when a primary is lost, or redirects a command.
 */
export class RedisCluster implements Primaries {
  readonly #owner: ClusterOwner
  readonly #primaries = new Map<string, Primary>()
  readonly #listeners = new Set<() => void>()
  /** The address of each slot's primary. */
  #slots: (string | undefined)[] = []
  #addresses = new Map<string, Address>()
  #looking: Promise<void> | undefined
  /** Queues of slots with redirected operations that are not done yet. */
  readonly #lines = new Map<number, SlotQueue>()
  #isAway = false
  #isClosed = false
  #stopTimer = () => {}
  #isSearching = false
  #stopSearch = () => {}

  constructor(owner: ClusterOwner) {
    this.#owner = owner
    this.#report('the cluster is not known yet')
    this.#begin()
  }

  /** Calls a listener whenever slots may have moved. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener)
  }

  /**
   * Returns the address of the primary of a key or a Redis channel. @throws RpcError
   * `engine_unavailable`
   */
  async addressOf(key: string): Promise<string> {
    if (this.#slots.length === 0) await this.#known()
    return this.#slots[slotOf(key)] ?? this.#uncovered()
  }

  /** Returns the same, as far as is known. */
  knownAddressOf(key: string): string | undefined {
    return this.#slots[slotOf(key)]
  }

  /** Returns whether an address is one of the primaries. */
  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  primaryOf(key: string): Primary | undefined {
    return this.#primaries.get(this.knownAddressOf(key) ?? '')
  }

  async run<Result>(key: string, use: Use<Result>): Promise<Result> {
    if (this.#slots.length === 0) await this.#known()
    return new Promise((resolve, reject) => {
      const end = performance.now() + this.#owner.commandTimeout
      this.#start({ slot: slotOf(key), end, use, resolve, reject })
    })
  }

  /** Applies a redirection. */
  async follow({ kind, slot, to }: Redirection): Promise<void> {
    const address = to && nameOf(to)
    if (kind === 'TRYAGAIN') return pause()
    if (kind !== 'MOVED') return
    if (address === undefined || !this.has(address) || this.#slots[slot] === address) return this.look()
    this.#slots[slot] = address
    this.#changed()
  }

  #masterAt(slot: number): Primary {
    const primary = this.#primaries.get(this.#slots[slot] ?? '')
    return primary ?? this.#uncovered()
  }

  /**
   * While a replica takes over, the others report for a moment that the slot has no primary: the
   * topology is read again soon.
   */
  #uncovered(): never {
    if (!this.#isSearching && !this.#isClosed) {
      this.#isSearching = true
      this.#stopSearch = startTimeout(PAUSE.search, () => {
        this.#isSearching = false
        this.look().catch(() => {})
      })
    }
    throw unavailable(new Error('no Redis of the cluster has the slot'))
  }

  #start<Result>(operation: Operation<Result>): void {
    const line = this.#lines.get(operation.slot)
    if (line) line.add(this.#task(operation))
    else this.#send(operation).catch(operation.reject)
  }

  async #send<Result>(operation: Operation<Result>): Promise<void> {
    const primary = this.#masterAt(operation.slot)
    const result = await redirected(primary, operation.use)
    if (!(result instanceof Redirection)) return operation.resolve(result)
    this.#lineAt(operation.slot, primary).addSent(this.#task(operation, result))
  }

  /**
   * Returns the queue of a slot whose operations are being redirected. @param primary the one that
   * redirected it
   */
  #lineAt(slot: number, { connection }: Primary): SlotQueue {
    const known = this.#lines.get(slot)
    if (known) return known
    // It answers in order. Its earlier answers have been handled in the next turn.
    const answered = connection.run((client) => client.sendCommand(['PING'])).then(turn, turn)
    const line = new SlotQueue(answered, () => this.#lines.delete(slot))
    this.#lines.set(slot, line)
    return line
  }

  /** @param from the redirection that it has received already */
  #task<Result>(operation: Operation<Result>, from?: Redirection): SlotTask {
    return {
      insist: () =>
        this.#insist(operation, from).catch((error) => {
          operation.reject(error)
          return 'elsewhere' as const
        }),
      again: () => this.#start(operation),
    }
  }

  /** Follows the redirections of an operation until it is done. */
  async #insist<Result>(operation: Operation<Result>, from?: Redirection): Promise<SlotOutcome> {
    const { slot, use, end } = operation
    let result = from ?? (await redirected(this.#masterAt(slot), use))
    let last = ''
    for (let moves = 0; result instanceof Redirection; ) {
      last = result.kind
      if (last === 'MOVED') moves += 1
      if (performance.now() > end || moves > REDIRECTIONS) throw unavailable(result.cause)
      if (last === 'ASK') {
        result = await this.#ask(result, use)
      } else {
        await this.follow(result)
        result = await redirected(this.#masterAt(slot), use)
      }
    }
    operation.resolve(result)
    if (last === 'MOVED') return 'moved'
    return last === '' ? 'taken' : 'elsewhere'
  }

  /**
   * Returns a function that creates clients of one primary. From the second call on the previous
   * connection has been lost, so it reads the topology first.
   */
  opener(address: string): () => Promise<RedisHandle> {
    let isFirst = true
    return async () => {
      if (!isFirst) await this.look().catch(() => {})
      isFirst = false
      const at = this.#addresses.get(address)
      if (!at) throw new Error('it is no primary of the cluster any more')
      return this.#owner.source.open(at)
    }
  }

  /** Reads which primary has which slot. @throws RpcError `engine_unavailable` */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async check(): Promise<void> {
    if (this.#slots.includes(undefined)) await this.look()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#report(undefined)
    this.#stopTimer()
    this.#stopSearch()
    await this.#looking?.catch(() => {})
    await Promise.all([...this.#primaries.values()].map(({ connection }) => connection.close()))
  }

  #report(trouble: string | undefined): void {
    this.#owner.health?.set('cluster', trouble)
  }

  #known(): Promise<void> {
    if (this.#looking) return this.#looking
    return Promise.reject(unavailable(new Error('the cluster is away')))
  }

  #begin(tries = 0): void {
    this.look().then(
      () => {
        this.#report(undefined)
        if (this.#isAway) this.#owner.logger.info({ connection: this.#owner.name }, 'Redis is back')
      },
      (err) => {
        if (this.#isClosed) return
        this.#report('no Redis of the cluster can be reached')
        if (!this.#isAway) this.#owner.logger.warn({ err, connection: this.#owner.name }, 'Redis is away')
        this.#isAway = true
        const wait = Math.random() * Math.min(PAUSE.look, 100 * 2 ** tries)
        this.#stopTimer = startTimeout(wait, () => this.#begin(tries + 1))
      },
    )
  }

  async #look(): Promise<void> {
    const slots = await this.#owner.source.readSlots([...this.#addresses.values()]).catch((cause) => {
      throw unavailable(cause)
    })
    if (this.#isClosed) throw unavailable(new Error('it is closed'))
    this.#addresses = new Map(slots.flatMap((address) => (address ? [[nameOf(address), address]] : [])))
    this.#slots = slots.map((address) => address && nameOf(address))
    for (const [address, { connection }] of this.#primaries) {
      if (this.has(address)) continue
      this.#primaries.delete(address)
      void connection.close()
    }
    for (const address of this.#addresses.keys()) if (!this.#primaries.has(address)) this.#add(address)
    this.#changed()
  }

  #add(address: string): void {
    const open = this.opener(address)
    const name = `${this.#owner.name} ${address}`
    this.#primaries.set(
      address,
      new Primary({ ...this.#owner, name, open, isCluster: true, isReplaceable: true }),
    )
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Asks the Redis that is about to get the slot, and has the key already. */
  async #ask<Result>(redirection: Redirection, use: Use<Result>): Promise<Result | Redirection> {
    if (!redirection.to) throw unavailable(redirection.cause)
    const address = nameOf(redirection.to)
    if (!this.#primaries.has(address)) {
      // A primary that has no slot yet.
      this.#addresses.set(address, redirection.to)
      this.#add(address)
    }
    const primary = this.#primaries.get(address) as Primary
    return redirected(primary, (client) => use(asking(client)))
  }
}

function redirected<Result>({ connection }: Primary, use: Use<Result>): Promise<Result | Redirection> {
  return connection.run<Result | Redirection>((client) => use(client).catch(Redirection.from))
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    startTimeout(PAUSE.again, resolve)
  })
}

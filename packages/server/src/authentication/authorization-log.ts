import { decodeData, encodeData, markHandled, RpcError, startTimeout } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import type { Broker, Health, History, Position, Publication } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'
import { type AuthorizationOrder, LOG_CHANNEL, readOrder, type TokenSubject } from './authorization-order.js'
import { EngineWatch } from './engine-watch.js'
import { HeldDeliveries } from './held-deliveries.js'
import { HeldRevocations, type OrderedSubject } from './held-revocations.js'
import { type OrderedSocket, orderedSource } from './ordered-source.js'

/** Dependencies of an {@link AuthorizationLog}. */
export interface AuthorizationLogOwner {
  readonly engine: {
    readonly shared: boolean
    readonly broker: Broker
    readonly history: Pick<History, 'read' | 'position'>
    readonly health?: Health | undefined
  }
  readonly limits: {
    /** Orders that are kept at once. As many about sessions are kept in addition. */
    readonly revocations: number
  }
  /** Milliseconds for which a ticket is valid, from its request on. @default ten minutes */
  readonly ticketTtl?: number | undefined
  /** Milliseconds for which revocations are kept. */
  readonly revocationTtl: number
  /** Milliseconds without the engine after which this node is stale. */
  readonly revocationStaleness: number
  /** Whether a stale node closes its sockets. */
  readonly closeWhenStale: boolean
  /**
   * Applies an order to the sockets of this node.
   * @param options.isLate skips sockets that signed in after the order
   * @param options.isReplaced whether a later order was applied to a socket
   */
  apply(
    order: AuthorizationOrder,
    options: { readonly isLate: boolean; isReplaced(subject: OrderedSubject): boolean },
  ): Promise<number>
  /** Closes all sockets of this node. */
  closeAll(): Promise<void>
  /** Receives failures. */
  failed(cause: unknown, details: object): void
}

/** Milliseconds for which session and socket orders that revoke nothing are kept, at most. */
const ORDER_TTL = 600_000

/** Orders that the engine keeps at most. */
const LONGEST_LOG = 10_000_000

/** Orders of the log for each held one: some have expired, but stay until older ones expire. */
const LOG_SHARE = 4

/**
 * Milliseconds after which an order from a question is late. The clocks of nodes may differ by as
 * much.
 */
const OLD = 10_000

/** Orders in one page. */
const PAGE = 500

/** Milliseconds for which reading the log waits for listeners, at most. */
const LONGEST_JUDGEMENT = 1000

/** An order that was given. */
export interface GivenOrder {
  readonly order: AuthorizationOrder
  /** How many sockets of this node it affected. */
  readonly applied: Promise<number>
  readonly kept: Promise<void>
}

const AWAY =
  'The engine cannot be reached: the sockets of this node are dealt with, the other nodes learn it when the engine is back'

/**
 * The orders that change authorisations, over all nodes. The engine keeps them on a channel of its
 * own, in one order. Every node applies each order once, and checks tokens against them. It applies
 * the orders that it missed before it delivers the publications that it missed.
 */
export class AuthorizationLog {
  readonly #owner: AuthorizationLogOwner
  readonly #held: HeldRevocations
  readonly #watch: EngineWatch
  /** Orders that the engine has not accepted yet. */
  readonly #pending = new Set<AuthorizationOrder>()
  #deliveries: HeldDeliveries | undefined
  /** The position up to which this node has read. */
  #position: Position | undefined
  #isSubscribed = false
  #isCurrent = false
  #isClosed = false
  /** Counts how often this node may have missed an order. */
  #lapses = 0
  #reading: Promise<void> | undefined

  constructor(owner: AuthorizationLogOwner) {
    this.#owner = owner
    this.#held = new HeldRevocations(owner.limits)
    this.#watch = new EngineWatch({
      health: owner.engine.health,
      revocationStaleness: owner.revocationStaleness,
      lapsed: () => this.#lapse(),
      check: () => this.#compare(),
      stale: () => void (owner.closeWhenStale && owner.closeAll()),
    })
  }

  /** Not ok while this node has not reached the engine for too long. */
  get health(): Health {
    return this.#watch.health
  }

  /** The engine's broker. It holds deliveries back while this node reads the log. */
  get broker(): Broker {
    const { broker } = this.#owner.engine
    return {
      listen: (listener) => {
        this.#deliveries = new HeldDeliveries(
          { order: (publication) => this.#hear(publication), before: () => this.#look() },
          listener,
        )
        broker.listen(this.#deliveries)
      },
      subscribe: (channel) => broker.subscribe(channel),
      unsubscribe: (channel) => broker.unsubscribe(channel),
      publish: (draft, options) => broker.publish(draft, options),
      broadcast: (json) => broker.broadcast(json),
      command: (command) => broker.command(command),
    }
  }

  /** Starts to read. Call it after the broker has its listener. */
  start(): void {
    if (this.#owner.engine.shared) this.#watch.start()
    else markHandled(this.#catchUp())
  }

  /** Stops reading, and releases everything. */
  close(): void {
    this.#isClosed = true
    this.#watch.stop()
    this.#deliveries?.release()
  }

  /**
   * Checks a token, after this node has read the orders that it missed.
   * @throws RpcError `invalid_token` if it was revoked; `engine_unavailable`
   */
  async check(token: TokenSubject): Promise<void> {
    this.#look()
    if (!this.#isCurrent) await this.#catchUp()
    if (this.refuses(token)) throw new RpcError('invalid_token', 'it was revoked')
  }

  /**
   * Returns whether a token, or the socket that it opened, was revoked, as far as is known here.
   */
  refuses(token: TokenSubject): boolean {
    return this.#held.refuses(token)
  }

  /**
   * Applies the orders since a token was issued to its authorisation, as far as this node knows
   * them.
   * @param socket the open socket that sends it. @default a socket that is signing in
   */
  amend<Source extends AuthorizationSource>(source: Source, socket?: OrderedSocket): Source {
    return orderedSource(source, this.#held, socket)
  }

  /**
   * Applies a new order to this node's sockets at once.
   * @returns the order for other nodes, its result here, and a promise that resolves when the
   *   engine keeps it; rejects with RpcError `too_many_revocations` if it is not kept
   */
  give(given: AuthorizationOrder): GivenOrder {
    const refusal = this.#held.refusalOf(given)
    const order = refusal ? { ...given, isKept: false } : given
    const applied = this.take(order)
    return { order, applied, kept: refusal ? markHandled(Promise.reject(refusal)) : this.#keep(order) }
  }

  /** Applies an order to this node's sockets, once. @returns how many it affected */
  take(order: AuthorizationOrder, isLate = false): Promise<number> {
    const known = this.#held.applied(order.id)
    if (known) return known
    const isReplaced = (subject: OrderedSubject) => this.#held.isReplaced(order, subject)
    const apply = () => this.#owner.apply(order, { isLate: isLate || isOld(order), isReplaced })
    if (order.isKept === false) return markHandled(attempt(apply))
    const applied = markHandled(this.#held.isOutdated(order) ? Promise.resolve(0) : attempt(apply))
    this.#held.add(order, this.#heldFor(order), applied)
    return applied
  }

  #look(): void {
    if (this.#owner.engine.shared) this.#watch.look()
  }

  /** Deliveries wait from now on, until the log is read. */
  #lapse(): void {
    if (this.#isClosed) return
    this.#lapses += 1
    if (this.#isCurrent) this.#deliveries?.hold()
    this.#isCurrent = false
    this.#watch.hurry()
    markHandled(this.#catchUp())
  }

  /** Checks whether the log has orders to read. */
  async #compare(): Promise<void> {
    if (!this.#isCurrent) return this.#catchUp()
    try {
      const position = await attempt(() => this.#owner.engine.history.position(LOG_CHANNEL))
      if (!isSame(this.#position, position)) await this.#catchUp()
      else await this.#keepPending()
    } catch (error) {
      this.#lapse()
      throw error
    }
  }

  #catchUp(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  async #read(): Promise<void> {
    const { engine } = this.#owner
    if (engine.shared && !this.#isSubscribed) {
      await engine.broker.subscribe(LOG_CHANNEL)
      this.#isSubscribed = true
    }
    for (let lapses = -1; lapses !== this.#lapses; ) {
      lapses = this.#lapses
      await this.#readLog()
    }
    this.#isCurrent = true
    this.#deliveries?.release()
    await this.#keepPending()
  }

  /** Reads the orders after this node's position, or all if the engine has lost the log since. */
  async #readLog(): Promise<void> {
    const known = this.#position
    let after = known?.offset ?? 0
    let page = await this.#readPage(after)
    const isLost = known !== undefined && known.offset > 0 && !isAfter(known, page.position)
    if (isLost) {
      after = 0
      page = await this.#readPage(after)
    }
    const read = new Set<string>()
    for (;;) {
      await this.#takePage(page.publications, { after, isFirst: known === undefined || isLost, read })
      const last = page.publications.at(-1)
      if (!page.more || last?.offset === undefined) break
      after = last.offset
      page = await this.#readPage(after)
    }
    const { position } = page
    // The last orders have expired, or were trimmed, before this node read them.
    const end = page.publications.at(-1)?.offset ?? after
    if (known && !isLost && end < position.offset) await this.#owner.closeAll()
    this.#position = position
    if (isLost) await this.#keepAgain(read)
  }

  #readPage(after: number) {
    return attempt(() => this.#owner.engine.history.read(LOG_CHANNEL, { after, limit: PAGE }))
  }

  async #takePage(
    publications: readonly Publication[],
    {
      after,
      isFirst,
      read,
    }: { readonly after: number; readonly isFirst: boolean; readonly read: Set<string> },
  ): Promise<void> {
    // Orders that this node never saw are lost, so its sockets' authorisations may be out of date.
    if (!isFirst && hasHole(publications, after)) await this.#owner.closeAll()
    const taken: Promise<number>[] = []
    for (const { json } of publications) {
      const order = readOrder(decodeData(json))
      if (!order) continue
      read.add(order.id)
      taken.push(this.take(order, true))
    }
    await settledSoon(taken)
  }

  /** Handles an order that the broker delivers. */
  #hear({ json, epoch, offset }: Publication): void {
    const order = readOrder(decodeData(json))
    if (order) markHandled(this.take(order, order.again === true))
    if (epoch === undefined || offset === undefined || this.#reading) return
    const known = this.#position
    if (known && offset === known.offset + 1 && (known.epoch === epoch || known.offset === 0))
      this.#position = { epoch, offset }
    else if (!known || known.epoch !== epoch || offset > known.offset) markHandled(this.#catchUp())
  }

  /** @throws RpcError `engine_unavailable`: the order is then kept as soon as the engine is back */
  async #keep(order: AuthorizationOrder): Promise<void> {
    try {
      await this.#publish(order, this.#ttlOf(order))
    } catch (cause) {
      if (RpcError.is(cause) && cause.code !== 'engine_unavailable') throw cause
      this.#pending.add(order)
      this.#lapse()
      throw new RpcError('engine_unavailable', AWAY, undefined, cause)
    }
  }

  async #keepPending(): Promise<void> {
    for (const order of this.#pending) {
      await this.#publish(order, this.#ttlOf(order))
      this.#pending.delete(order)
    }
  }

  /** The engine has lost its log. One of all nodes writes again what this node knows of it. */
  async #keepAgain(read: ReadonlySet<string>): Promise<void> {
    for (const { order, left } of this.#held) {
      if (read.has(order.id) || this.#pending.has(order)) continue
      await this.#publish({ ...order, again: true }, left, `again/${order.id}`)
    }
  }

  async #publish(order: AuthorizationOrder, ttl: number, idempotencyKey?: string): Promise<void> {
    if (this.#isClosed) throw new RpcError('shutting_down')
    const { engine, limits } = this.#owner
    const draft = { channel: LOG_CHANNEL, json: encodeData(order) }
    const ms = Math.max(1, Math.ceil(ttl))
    const retention = {
      size: Math.min(limits.revocations * LOG_SHARE, LONGEST_LOG),
      ttl: ms,
      isReserved: true,
    }
    await attempt(() => engine.broker.publish(draft, { retention, idempotencyKey }))
  }

  /**
   * Only tickets name a session, and they are valid for a short time: the older ones expire soon.
   */
  #heldFor(order: AuthorizationOrder): number {
    const ttl = this.#ttlOf(order)
    const isOfSession = order.type === 'revoke' && 'session' in order.who
    return isOfSession ? Math.min(ttl, this.#owner.ticketTtl ?? ORDER_TTL) : ttl
  }

  #ttlOf({ type, who }: AuthorizationOrder): number {
    const { revocationTtl } = this.#owner
    // Tokens that the application signs name a user, and may be valid for long.
    const isKept = (type === 'revoke' && !('session' in who)) || 'uid' in who
    return isKept ? revocationTtl : Math.min(revocationTtl, ORDER_TTL)
  }
}

/**
 * Returns whether an order skips later sign-ins. A revocation from a question closes those as well.
 */
function isOld({ type, at }: AuthorizationOrder): boolean {
  return type !== 'revoke' && at < Date.now() - OLD
}

/** Resolves when all have settled, or after a second, because listeners may take their time. */
async function settledSoon(taken: readonly Promise<number>[]): Promise<void> {
  let stop = () => {}
  const late = new Promise<void>((resolve) => {
    stop = startTimeout(LONGEST_JUDGEMENT, resolve)
  })
  await Promise.race([Promise.allSettled(taken), late])
  stop()
}

/** Returns whether an offset is missing before the last of the publications after an offset. */
function hasHole(publications: readonly Publication[], after: number): boolean {
  const last = publications.at(-1)?.offset
  return last !== undefined && last > after + publications.length
}

/** Returns whether nothing was added or lost between two positions. */
function isSame(known: Position | undefined, now: Position): boolean {
  return known?.offset === now.offset && (now.offset === 0 || known.epoch === now.epoch)
}

/** Returns whether a log that was read up to one position can be at another one now. */
function isAfter(known: Position, now: Position): boolean {
  return known.epoch === now.epoch && known.offset <= now.offset
}

import { encodeData, RpcError } from '@token-socket/protocol'
import { type AuthorizationOrder, CLOCK_SLACK, type TokenSubject } from './authorization-order.js'
import { RevokedMoments } from './revoked-moments.js'

/** Limits of {@link HeldRevocations}. */
export interface HeldRevocationsLimits {
  /** Orders that are kept at once. As many about sessions are kept in addition. */
  readonly revocations: number
}

/** The total size of orders of one kind. */
interface Room {
  count: number
  bytes: number
}

/** A token, and the socket that sends it, if it is open. */
export interface OrderedSubject extends Omit<TokenSubject, 'jti'> {
  readonly sid?: string | undefined
}

/** An order that this node knows and keeps. */
interface HeldOrder {
  readonly order: AuthorizationOrder
  /** Bytes of its JSON. */
  readonly bytes: number
  /** When it was given, by this node's clock, and not much later than this node received it. */
  readonly at: number
  /** In milliseconds of `performance.now()`. */
  readonly expiresAt: number
  /** How many sockets of this node it affected. */
  readonly applied: Promise<number>
}

/**
 * Bytes of an order, on average. All orders together may have the limit's number of orders times
 * this.
 */
const ORDER_BYTES = 160

/** Bytes that all orders may have together, however low the limit is. */
const LEAST_BYTES = 256 * 1024

/** Moments that are kept however many other orders there are. */
const MOMENTS = 1000

/** Milliseconds between two sweeps of expired orders. */
const SWEEP = 10_000

/**
 * The orders that this node knows and that have not expired, and which tokens they refuse. Checking
 * a token takes the same time for any number of orders.
 */
export class HeldRevocations {
  readonly #limits: HeldRevocationsLimits
  readonly #orders = new Map<string, HeldOrder>()
  /** The latest order about each user, session, token and socket, by a name of its kind. */
  readonly #latest = new Map<string, AuthorizationOrder>()
  readonly #moments = new RevokedMoments()
  /** Visitors create orders about sessions by signing out, so these have room of their own. */
  readonly #sessions: Room = { count: 0, bytes: 0 }
  readonly #others: Room = { count: 0, bytes: 0 }
  #swept = performance.now()

  constructor(limits: HeldRevocationsLimits) {
    this.#limits = limits
  }

  /** How many orders are kept. */
  get size(): number {
    return this.#orders.size
  }

  /** How many sockets of this node an order affected; `undefined` for an unknown order. */
  applied(id: string): Promise<number> | undefined {
    return this.#orders.get(id)?.applied
  }

  /**
   * Checks whether there is room for another order. A moment before which everything is revoked
   * always has room, because it replaces the orders that it covers.
   * @returns the error that it is not kept: RpcError `too_many_revocations`
   */
  refusalOf(order: AuthorizationOrder): RpcError | undefined {
    if ('issuedBefore' in order.who && this.#moments.size < MOMENTS) return undefined
    this.#sweep(SWEEP / 10)
    const { revocations: limit } = this.#limits
    const most = Math.max(limit * ORDER_BYTES, LEAST_BYTES)
    const { count, bytes } = this.#roomOf(order)
    if (count < limit && bytes + sizeOf(order) <= most) return undefined
    return new RpcError('too_many_revocations', NOT_KEPT, { field: 'revocations', limit })
  }

  /** Keeps an order. @param ttl milliseconds @param applied see {@link applied} */
  add(order: AuthorizationOrder, ttl: number, applied: Promise<number>): void {
    this.#sweep(SWEEP)
    const bytes = sizeOf(order)
    const at = Math.min(order.at, Date.now() + CLOCK_SLACK)
    const held = { order, bytes, at, expiresAt: performance.now() + ttl, applied }
    this.#orders.set(order.id, held)
    const room = this.#roomOf(order)
    room.count += 1
    room.bytes += bytes
    if ('issuedBefore' in order.who) this.#addMoment(held, order.who.issuedBefore)
    else this.#index(order)
  }

  /** Returns whether a later order has replaced a socket's authorisation. */
  isReplaced(order: AuthorizationOrder, subject: OrderedSubject): boolean {
    if (order.type !== 'reauthorize') return false
    return this.since('reauthorize', subject).some((other) => isLater(other, order))
  }

  /** Returns whether a later order has replaced the authorisation of the same sockets. */
  isOutdated(order: AuthorizationOrder): boolean {
    const latest = order.type === 'reauthorize' ? this.#latest.get(nameOf(order)) : undefined
    return latest !== undefined && isLater(latest, order)
  }

  /** Returns whether a token, or a socket that it opened, was revoked. */
  refuses({ uid, session, jti, issuedAt = Number.NEGATIVE_INFINITY }: TokenSubject): boolean {
    if (this.#orders.size === 0) return false
    this.#sweep(SWEEP)
    if (jti !== undefined && this.#latest.has(`jti:${jti}`)) return true
    if (issuedAt < (this.#moments.latest ?? Number.NaN)) return true
    const isBefore = (name: string) => issuedAt <= (this.#latest.get(name)?.at ?? Number.NaN)
    if (uid !== undefined && isBefore(`uid:${uid}`)) return true
    return session !== undefined && isBefore(`session:${session}`)
  }

  /**
   * Returns the orders of a type since a token was issued, about it or about the socket that sends
   * it. It has the latest of each kind of target, the earliest first.
   */
  since(type: AuthorizationOrder['type'], subject: OrderedSubject): readonly AuthorizationOrder[] {
    if (this.#orders.size === 0) return []
    this.#sweep(SWEEP)
    const { issuedAt = Number.NEGATIVE_INFINITY } = subject
    const found: AuthorizationOrder[] = []
    for (const kind of ['uid', 'session', 'sid'] as const) {
      const value = subject[kind]
      const order = value === undefined ? undefined : this.#latest.get(`${type} ${kind}:${value}`)
      const at = order && this.#orders.get(order.id)?.at
      if (at !== undefined && issuedAt <= at) found.push(order as AuthorizationOrder)
    }
    return found.sort((one, other) => one.at - other.at)
  }

  /** Returns the orders that are kept, each with the milliseconds until it expires. */
  *[Symbol.iterator](): Generator<{ readonly order: AuthorizationOrder; readonly left: number }> {
    this.#sweep(0)
    const now = performance.now()
    for (const { order, expiresAt } of this.#orders.values()) yield { order, left: expiresAt - now }
  }

  #index(order: AuthorizationOrder): void {
    const name = nameOf(order)
    const known = this.#latest.get(name)
    if (!known || isLater(order, known)) this.#latest.set(name, order)
  }

  /**
   * Removes the orders that the moment covers: those about earlier tokens of users and sessions.
   */
  #addMoment({ order, expiresAt }: HeldOrder, moment: number): void {
    for (const { id } of this.#moments.add(order, moment, expiresAt)) this.#delete(id)
    for (const [id, held] of this.#orders) {
      const { type, who } = held.order
      const isOfToken = 'jti' in who || 'issuedBefore' in who
      if (type === 'revoke' && !isOfToken && held.at < moment && held.expiresAt <= expiresAt) this.#delete(id)
    }
  }

  #delete(id: string): void {
    const held = this.#orders.get(id)
    if (!held) return
    const { order, bytes } = held
    this.#orders.delete(id)
    const room = this.#roomOf(order)
    room.count -= 1
    room.bytes -= bytes
    if ('issuedBefore' in order.who) this.#moments.delete(order)
    const name = nameOf(order)
    if (this.#latest.get(name) === order) this.#latest.delete(name)
  }

  #roomOf({ type, who }: AuthorizationOrder): Room {
    return type === 'revoke' && 'session' in who ? this.#sessions : this.#others
  }

  #sweep(interval: number): void {
    const now = performance.now()
    if (now - this.#swept < interval) return
    this.#swept = now
    for (const [id, { expiresAt }] of this.#orders) if (expiresAt <= now) this.#delete(id)
  }
}

const NOT_KEPT =
  'Too many revocations are kept: open sockets are dealt with. Tokens that are out, and nodes that are away, are not'

/**
 * Returns whether an order is later than another one. If they have the same time, the ids decide.
 */
function isLater(one: AuthorizationOrder, other: AuthorizationOrder): boolean {
  return one.at > other.at || (one.at === other.at && one.id > other.id)
}

function nameOf({ type, who }: AuthorizationOrder): string {
  const [[kind, value] = []] = Object.entries(who)
  return type === 'revoke' ? `${kind}:${value}` : `${type} ${kind}:${value}`
}

function sizeOf(order: AuthorizationOrder): number {
  return Buffer.byteLength(encodeData(order))
}

import { encodeData, refusal } from '@token-socket/protocol'
import type { AuthorizationOrder, TokenSubject } from './authorization-order.js'

/** Limits of {@link HeldRevocations}. */
export interface HeldRevocationsLimits {
  /** Orders that are kept at once. */
  readonly revocations: number
}

/** A token, and the socket that it is for, if it is open. */
export interface OrderedSubject extends Omit<TokenSubject, 'jti'> {
  readonly sid?: string | undefined
}

/** An order that this node knows, as long as it is kept. */
interface HeldOrder {
  readonly order: AuthorizationOrder
  /** Of its JSON. */
  readonly bytes: number
  /** When it was given, by the clock of this node: not much later than this node has learned it. */
  readonly at: number
  /** In milliseconds of `performance.now()`. */
  readonly expiresAt: number
  /** How many sockets of this node it met. */
  readonly applied: Promise<number>
}

/**
 * Bytes of an order, on average. All orders together may have as many times that as there may be
 * orders.
 */
const ORDER_BYTES = 160

/** Bytes that all orders may have together, however few they may be. */
const LEAST_BYTES = 256 * 1024

/** Milliseconds that clocks of nodes may differ by. */
const SLACK = 10_000

/** Milliseconds between two looks for what is over. */
const SWEEP = 10_000

/**
 * The orders that this node knows and that are not over, and which tokens they refuse. A look at a
 * token costs the same however many there are.
 */
export class HeldRevocations {
  readonly #limits: HeldRevocationsLimits
  readonly #orders = new Map<string, HeldOrder>()
  /** The latest order about each user, session, token and socket, by a name of its kind. */
  readonly #latest = new Map<string, AuthorizationOrder>()
  #issuedBefore: AuthorizationOrder | undefined
  #bytes = 0
  #swept = performance.now()

  constructor(limits: HeldRevocationsLimits) {
    this.#limits = limits
  }

  /** How many orders are kept. */
  get size(): number {
    return this.#orders.size
  }

  /** How many sockets of this node an order met; `undefined` for an order that is not known. */
  applied(id: string): Promise<number> | undefined {
    return this.#orders.get(id)?.applied
  }

  /** Whether there is room for another order. @throws RpcError `too_many_revocations` */
  checkRoom(order: AuthorizationOrder): void {
    this.#sweep(SWEEP / 10)
    const { revocations: limit } = this.#limits
    const bytes = Math.max(limit * ORDER_BYTES, LEAST_BYTES)
    if (this.#orders.size < limit && this.#bytes + sizeOf(order) <= bytes) return
    throw refusal('too_many_revocations', { field: 'revocations', limit })
  }

  /** Keeps an order. @param ttl milliseconds @param applied see {@link applied} */
  add(order: AuthorizationOrder, ttl: number, applied: Promise<number>): void {
    this.#sweep(SWEEP)
    const bytes = sizeOf(order)
    const at = Math.min(order.at, Date.now() + SLACK)
    this.#orders.set(order.id, { order, bytes, at, expiresAt: performance.now() + ttl, applied })
    this.#bytes += bytes
    this.#index(order)
  }

  /** Whether a later order has given the same sockets another authorisation. */
  isOutdated(order: AuthorizationOrder): boolean {
    const latest = order.type === 'reauthorize' ? this.#latest.get(nameOf(order)) : undefined
    if (!latest) return false
    return latest.at > order.at || (latest.at === order.at && latest.id > order.id)
  }

  /** Whether a token, or a socket that it opened, was revoked. */
  refuses({ uid, session, jti, issuedAt = Number.NEGATIVE_INFINITY }: TokenSubject): boolean {
    if (this.#orders.size === 0) return false
    this.#sweep(SWEEP)
    if (jti !== undefined && this.#latest.has(`jti:${jti}`)) return true
    const all = this.#issuedBefore
    if (all && 'issuedBefore' in all.who && issuedAt < all.who.issuedBefore) return true
    const isBefore = (name: string) => issuedAt <= (this.#latest.get(name)?.at ?? Number.NaN)
    if (uid !== undefined && isBefore(`uid:${uid}`)) return true
    return session !== undefined && isBefore(`session:${session}`)
  }

  /**
   * The orders of a type about a token, or about the socket that it is for, that were given since
   * it was issued: the latest of each kind of target, the earlier ones first.
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

  /** The orders that are kept, each with the milliseconds that it has left. */
  *[Symbol.iterator](): Generator<{ readonly order: AuthorizationOrder; readonly left: number }> {
    this.#sweep(0)
    const now = performance.now()
    for (const { order, expiresAt } of this.#orders.values()) yield { order, left: expiresAt - now }
  }

  #index(order: AuthorizationOrder): void {
    if ('issuedBefore' in order.who) {
      const known = this.#issuedBefore?.who as { readonly issuedBefore: number } | undefined
      if (!known || order.who.issuedBefore >= known.issuedBefore) this.#issuedBefore = order
      return
    }
    const name = nameOf(order)
    const known = this.#latest.get(name)
    if (!known || known.at < order.at || (known.at === order.at && known.id < order.id))
      this.#latest.set(name, order)
  }

  #sweep(interval: number): void {
    const now = performance.now()
    if (now - this.#swept < interval) return
    this.#swept = now
    for (const [id, { order, bytes, expiresAt }] of this.#orders) {
      if (expiresAt > now) continue
      this.#orders.delete(id)
      this.#bytes -= bytes
      if (this.#issuedBefore === order) this.#issuedBefore = undefined
      const name = nameOf(order)
      if (this.#latest.get(name) === order) this.#latest.delete(name)
    }
  }
}

function nameOf({ type, who }: AuthorizationOrder): string {
  const [[kind, value] = []] = Object.entries(who)
  return type === 'revoke' ? `${kind}:${value}` : `${type} ${kind}:${value}`
}

function sizeOf(order: AuthorizationOrder): number {
  return Buffer.byteLength(encodeData(order))
}

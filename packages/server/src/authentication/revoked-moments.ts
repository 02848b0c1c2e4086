import type { AuthorizationOrder } from './authorization-order.js'

/** A revocation of everything issued before a moment. */
interface RevokedMoment {
  readonly order: AuthorizationOrder
  /** Milliseconds since 1970. */
  readonly moment: number
  /** In milliseconds of `performance.now()`. */
  readonly expiresAt: number
}

/**
 * The moments before which everything is revoked. Each one has an expiry of its own, so that an
 * earlier moment does not shorten a later one. Those that another one covers are removed.
 */
export class RevokedMoments {
  #moments: readonly RevokedMoment[] = []

  /** How many there are that no other one covers. */
  get size(): number {
    return this.#moments.length
  }

  /** The latest moment; `undefined` if there is none. */
  get latest(): number | undefined {
    return this.#moments.length === 0 ? undefined : Math.max(...this.#moments.map(({ moment }) => moment))
  }

  /** Adds a moment. @returns the orders that are covered now, which may include the new one */
  add(order: AuthorizationOrder, moment: number, expiresAt: number): readonly AuthorizationOrder[] {
    const one = { order, moment, expiresAt }
    if (this.#moments.some((other) => covers(other, one))) return [order]
    const covered = this.#moments.filter((other) => covers(one, other))
    this.#moments = [...this.#moments.filter((other) => !covered.includes(other)), one]
    return covered.map(({ order }) => order)
  }

  /** Removes an expired order. */
  delete(order: AuthorizationOrder): void {
    this.#moments = this.#moments.filter((one) => one.order !== order)
  }
}

function covers(one: RevokedMoment, other: RevokedMoment): boolean {
  return one.moment >= other.moment && one.expiresAt >= other.expiresAt
}

import { TokenBucket } from './token-bucket.js'

/** From this number of owners on, full buckets are searched for and removed. */
const SWEPT_FROM = 1000

/**
 * Limits the rate of each owner, such as a user or an address. An owner whose bucket is full again
 * is forgotten. So what is kept is bounded by what arrives while a bucket fills.
 */
export class OwnerRates {
  readonly #size: { readonly perSecond: number }
  readonly #buckets = new Map<string, TokenBucket>()
  #sweepAt = SWEPT_FROM

  /** @param perSecond the limit of one owner in a second, also at once; `Infinity` for none */
  constructor(perSecond: number) {
    this.#size = { perSecond }
  }

  /** How many owners are known. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Counts one operation of an owner, or refuses it.
   * @param now milliseconds of a clock that does not jump
   * @returns 0 if it was counted; or the milliseconds after which it could be
   */
  take(owner: string, now = performance.now()): number {
    if (this.#size.perSecond === Number.POSITIVE_INFINITY) return 0
    const known = this.#buckets.get(owner)
    if (known) return known.take(1, now)
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now)
    const bucket = new TokenBucket(this.#size)
    this.#buckets.set(owner, bucket)
    return bucket.take(1, now)
  }

  /** Takes time in proportion to what has arrived since the last sweep. */
  #sweep(now: number): void {
    for (const [owner, bucket] of this.#buckets) if (bucket.fullIn(now) === 0) this.#buckets.delete(owner)
    this.#sweepAt = Math.max(SWEPT_FROM, this.#buckets.size * 2)
  }
}

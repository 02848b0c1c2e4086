import { TokenBucket } from './token-bucket.js'

/** From this number of owners on, those with a full bucket are looked for. */
const SWEPT_FROM = 1000

/**
 * Holds each owner to a rate, such as users and addresses. An owner whose bucket is full again is
 * forgotten, so that what is kept is bounded by what comes in the time that a bucket takes to fill.
 */
export class OwnerRates {
  readonly #size: { readonly perSecond: number }
  readonly #buckets = new Map<string, TokenBucket>()
  #sweepAt = SWEPT_FROM

  /** @param perSecond what one owner may do in a second, also at once; `Infinity` for no limit */
  constructor(perSecond: number) {
    this.#size = { perSecond }
  }

  /** How many owners are known. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Counts one of an owner, or nothing.
   * @param now milliseconds of a clock that does not jump
   * @returns 0 if it was counted; else the milliseconds after which it could be
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

  /** Takes a time in proportion to what came since the last. */
  #sweep(now: number): void {
    for (const [owner, bucket] of this.#buckets) if (bucket.fullIn(now) === 0) this.#buckets.delete(owner)
    this.#sweepAt = Math.max(SWEPT_FROM, this.#buckets.size * 2)
  }
}

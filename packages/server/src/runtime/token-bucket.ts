/** The capacity of a {@link TokenBucket}, and how fast it fills. */
export interface BucketSize {
  /** The amount that it regains in a second, above 0; it may be a fraction. */
  readonly perSecond: number
  /** The amount that may be taken at once after a pause. @default `perSecond`, and at least 1 */
  readonly burst?: number | undefined
}

/** Sums of fractions are not exact: an amount that lacks less than this is complete. */
const EPSILON = 1e-6

/**
 * Limits a rate: over any time, what is taken is at most the burst, and `perSecond` for each
 * second. It has no timer; the caller passes the time. After a clock jumped back it gives nothing
 * for that time; after it jumped ahead, at most the burst.
 */
export class TokenBucket {
  readonly #size: BucketSize
  #left: number
  #at = Number.NEGATIVE_INFINITY

  /** @param size kept, not copied: many buckets may share one */
  constructor(size: BucketSize) {
    this.#size = size
    this.#left = burstOf(size)
  }

  /**
   * Returns the milliseconds until the bucket is full; 0 if it is full. A full bucket equals a new
   * one.
   */
  fullIn(now = performance.now()): number {
    this.#fill(now)
    return this.#msFor(burstOf(this.#size) - this.#left)
  }

  /**
   * Takes an amount, or nothing. An amount above the burst is taken from a full bucket, which then
   * owes the rest.
   * @param now milliseconds of a clock that does not jump, `performance.now()`
   * @returns 0 if it was taken; or the whole milliseconds after which it could be
   */
  take(amount = 1, now = performance.now()): number {
    this.#fill(now)
    const wait = this.#msFor(Math.min(amount, burstOf(this.#size)) - this.#left)
    if (wait === 0) this.#left -= amount
    return wait
  }

  /** Returns an amount that was taken for something that did not happen. */
  restore(amount = 1): void {
    this.#left = Math.min(this.#left + amount, burstOf(this.#size))
  }

  #msFor(lacks: number): number {
    return lacks > EPSILON ? Math.ceil(((lacks - EPSILON / 2) / this.#size.perSecond) * 1000) : 0
  }

  #fill(now: number): void {
    const elapsed = now - this.#at
    if (elapsed > 0)
      this.#left = Math.min(burstOf(this.#size), this.#left + (elapsed / 1000) * this.#size.perSecond)
    this.#at = now
  }
}

/** The amount of a full bucket. */
export function burstOf({ perSecond, burst = Math.max(1, perSecond) }: BucketSize): number {
  return burst
}

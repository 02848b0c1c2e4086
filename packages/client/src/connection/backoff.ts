/** Milliseconds, an upper bound of the first delay. */
const FIRST = 100

/** Milliseconds, an upper bound of every delay. */
const LONGEST = 20_000

/**
 * The delay before the next attempt, by "full jitter": a random time below a bound that doubles
 * from 100 ms to 20 s. So clients that lost the same server do not reconnect at the same moment.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  #bound = FIRST

  /** Returns the next delay in milliseconds. */
  next(): number {
    const delay = Math.random() * this.#bound
    this.#bound = Math.min(LONGEST, this.#bound * 2)
    return delay
  }

  /** Starts again with short delays. */
  reset(): void {
    this.#bound = FIRST
  }
}

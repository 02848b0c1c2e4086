/** Milliseconds that the first delay is below. */
const FIRST = 100

/** Milliseconds that every delay is below. */
const LONGEST = 20_000

/**
 * How long to wait before the next try: "full jitter", a random time below a bound that doubles from 100 ms to 20 s, so
 * that clients that lost the same server do not come back at the same moment.
 * Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export class Backoff {
  #bound = FIRST

  /** The next delay, in milliseconds. */
  next(): number {
    const delay = Math.random() * this.#bound
    this.#bound = Math.min(LONGEST, this.#bound * 2)
    return delay
  }

  /** Starts over with short delays. */
  reset(): void {
    this.#bound = FIRST
  }
}

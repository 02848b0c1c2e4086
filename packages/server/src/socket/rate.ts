/** Milliseconds of a minute, in which some limits count. */
export const MINUTE = 60_000

/** Counts what happens, a second at a time, or another period. */
export class Rate {
  readonly #period: number
  #start = Number.NEGATIVE_INFINITY
  #count = 0

  /** @param period in milliseconds */
  constructor(period = 1000) {
    this.#period = period
  }

  /**
   * One more. @returns how many there were in this period, it included. The next begins with the first after it is over.
   * @param now milliseconds
   */
  count(now = performance.now()): number {
    if (now - this.#start >= this.#period) {
      this.#start = now
      this.#count = 0
    }
    return ++this.#count
  }

  /** The last one does not count after all. */
  uncount(): void {
    if (this.#count > 0) this.#count -= 1
  }
}

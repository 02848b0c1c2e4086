/** The share that one more duration has in the average. */
const WEIGHT = 1 / 8

/**
 * About how long something took lately: an average in which each later duration counts more than an
 * earlier one.
 */
export class AverageDuration {
  #ms: number | undefined

  /** Milliseconds; 0 before the first one has been added. */
  get ms(): number {
    return this.#ms ?? 0
  }

  /** @param ms the duration of one more, in milliseconds */
  add(ms: number): void {
    const before = this.#ms ?? ms
    this.#ms = before + (ms - before) * WEIGHT
  }
}

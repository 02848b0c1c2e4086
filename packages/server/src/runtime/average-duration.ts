/** The weight of the newest duration in the average. */
const WEIGHT = 1 / 8

/** The average duration of an operation. Newer durations count more than older ones. */
export class AverageDuration {
  #ms: number | undefined

  /** Milliseconds; 0 before the first duration was added. */
  get ms(): number {
    return this.#ms ?? 0
  }

  /** @param ms the duration in milliseconds */
  add(ms: number): void {
    const before = this.#ms ?? ms
    this.#ms = before + (ms - before) * WEIGHT
  }
}

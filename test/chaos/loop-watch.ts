/** Milliseconds between two looks. */
const PERIOD = 5

/** Looks at this process's event loop: how late its timers are. */
export class LoopWatch {
  #longest = 0

  /** Milliseconds for which it did nothing else, at the most, since {@link start}. */
  get longestBlock(): number {
    return this.#longest
  }

  start(): void {
    let before = performance.now()
    setInterval(() => {
      const now = performance.now()
      this.#longest = Math.max(this.#longest, now - before - PERIOD)
      before = now
    }, PERIOD).unref()
  }
}

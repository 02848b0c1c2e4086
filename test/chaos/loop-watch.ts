/** Milliseconds between two looks. */
const PERIOD = 5

/** What an event loop did to its timers, in milliseconds. */
export interface LoopReport {
  /** How late a timer was, at the most: the loop did something else, or this process had to wait for a core. */
  readonly longestBlock: number
  /** The same without the waits: no longer than the CPU time, of all threads, that was spent meanwhile. */
  readonly longestWork: number
}

/** Looks at this process's event loop: how late its timers are. */
export class LoopWatch {
  #longestBlock = 0
  #longestWork = 0

  start(): void {
    let before = { time: performance.now(), cpu: process.cpuUsage() }
    setInterval(() => {
      const late = performance.now() - before.time - PERIOD
      const { user, system } = process.cpuUsage(before.cpu)
      this.#longestBlock = Math.max(this.#longestBlock, late)
      this.#longestWork = Math.max(this.#longestWork, Math.min(late, (user + system) / 1000))
      before = { time: performance.now(), cpu: process.cpuUsage() }
    }, PERIOD).unref()
  }

  /** Since {@link start}. */
  report(): LoopReport {
    return { longestBlock: this.#longestBlock, longestWork: this.#longestWork }
  }
}

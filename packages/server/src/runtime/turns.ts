import { eventLoop } from './event-loop.js'

/**
 * The turns of the event loop: the time of the current turn, and tasks that run at its end, with
 * one `setImmediate` for all. For work with each message, where reading the clock and arming a
 * timer would cost the most.
 */
export class Turns {
  #due: (() => void)[] = []
  #time: number | undefined
  #isArmed = false

  /** The time at which it was first read in this turn; milliseconds of `performance.now`. */
  get time(): number {
    if (this.#time === undefined) {
      this.#time = performance.now()
      this.#arm()
    }
    return this.#time
  }

  /** The current time; milliseconds. */
  now(): number {
    return performance.now()
  }

  /** Runs a task when the turn ends, in the order of the calls. */
  defer(run: () => void): void {
    this.#due.push(run)
    this.#arm()
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    eventLoop.setImmediate(this.#end)
  }

  readonly #end = () => {
    const due = this.#due
    this.#due = []
    this.#time = undefined
    this.#isArmed = false
    let next = 0
    try {
      while (next < due.length) {
        next += 1
        due[next - 1]?.()
      }
    } finally {
      // A task that throws does not keep the others from running.
      if (next < due.length) for (const run of due.slice(next)) this.defer(run)
    }
  }
}

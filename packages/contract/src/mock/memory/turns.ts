/**
 * How many tasks run before a timer, so that two ends that never stop answering each other don't
 * hold the event loop.
 */
const RUN = 100

/**
 * Runs tasks later, in order. They take no time on a fake clock, as long as there are fewer than a
 * hundred in a row.
 */
export class Turns {
  readonly #tasks: (() => void)[] = []
  #count = 0
  #isRunning = false

  /** Runs a task after this turn, and after those that came before it. */
  add(task: () => void): void {
    this.#tasks.push(task)
    if (this.#isRunning) return
    this.#isRunning = true
    queueMicrotask(() => this.#run())
  }

  #run(): void {
    const task = this.#tasks.shift()
    if (!task) {
      this.#isRunning = false
      return
    }
    this.#count = (this.#count + 1) % RUN
    // Before the task: one that throws does not stop those that follow.
    if (this.#count === 0) setTimeout(() => this.#run())
    else queueMicrotask(() => this.#run())
    task()
  }
}

import { attempt } from './runtime/attempt.js'

/** Runs tasks of the same key one after the other, in the order in which they were given. */
export class InOrder {
  readonly #tails = new Map<string, Promise<unknown>>()
  #size = 0
  #weight = 0

  /** How many tasks run or wait. */
  get size(): number {
    return this.#size
  }

  /** What the tasks that run or wait weigh together. */
  get weight(): number {
    return this.#weight
  }

  /** Runs a task, at once if no earlier one of its key runs. Resolves or rejects as the task does; rejects if it throws. */
  run<T>(key: string, task: () => Promise<T>, weight = 0): Promise<T> {
    const before = this.#tails.get(key)
    const result = before ? before.then(task, task) : attempt(task)
    this.#tails.set(key, result)
    this.#size += 1
    this.#weight += weight
    const done = () => {
      this.#size -= 1
      this.#weight -= weight
      if (this.#tails.get(key) === result) this.#tails.delete(key)
    }
    result.then(done, done)
    return result
  }
}

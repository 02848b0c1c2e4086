import { attempt } from '../runtime/attempt.js'

/** Runs tasks of the same key one after the other, in order. */
export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>()
  /** The last task of {@link runAlone}, while it runs or waits. */
  #alone: Promise<unknown> | undefined
  #size = 0
  #weight = 0

  /** How many tasks run or wait. */
  get size(): number {
    return this.#size
  }

  /** The weight of the tasks that run or wait. */
  get weight(): number {
    return this.#weight
  }

  /**
   * Runs a task, at once if no earlier one of its key runs. Settles as the task does; rejects if it
   * throws.
   */
  run<T>(key: string, task: () => Promise<T>, weight = 0): Promise<T> {
    const before = this.#tails.get(key) ?? this.#alone
    const result = before ? before.then(task, task) : attempt(task)
    this.#tails.set(key, result)
    return this.#count(result, weight, () => {
      if (this.#tails.get(key) === result) this.#tails.delete(key)
    })
  }

  /** Runs a task after all earlier ones, of every key, and before all later ones. */
  runAlone<T>(task: () => Promise<T>, weight = 0): Promise<T> {
    const before = [...this.#tails.values(), ...(this.#alone ? [this.#alone] : [])]
    const result = before.length > 0 ? Promise.allSettled(before).then(task) : attempt(task)
    // Later tasks of every key wait for this one, and this one for the earlier ones.
    this.#tails.clear()
    this.#alone = result
    return this.#count(result, weight, () => {
      if (this.#alone === result) this.#alone = undefined
    })
  }

  #count<T>(result: Promise<T>, weight: number, ended: () => void): Promise<T> {
    this.#size += 1
    this.#weight += weight
    const done = () => {
      this.#size -= 1
      this.#weight -= weight
      ended()
    }
    result.then(done, done)
    return result
  }
}

/**
 * Lets a given number of tasks run at once. Further ones wait: the owners take turns, and the tasks of one owner begin in the
 * order of arrival. So an owner with many tasks delays another by one task at most.
 */
export class FairSlots {
  /** The tasks that wait, by owner. The owner whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<() => void>>()
  #free: number

  /** @param size how many tasks may run at once */
  constructor(size: number) {
    this.#free = size
  }

  /** How many owners wait. */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Begins a task as soon as a slot is free: at once, or later.
   * @param begin does not throw
   * @returns gives the slot back, or withdraws a task that has not begun. Harmless when called again
   */
  enter(owner: string, begin: () => void): () => void {
    let leave = () => this.#withdraw(owner, start)
    const start = () => {
      leave = () => this.#release()
      begin()
    }
    if (this.#free > 0) {
      this.#free -= 1
      start()
    } else this.#wait(owner, start)
    return () => {
      const undo = leave
      leave = () => {}
      undo()
    }
  }

  #wait(owner: string, start: () => void): void {
    const own = this.#waiting.get(owner)
    if (own) own.add(start)
    else this.#waiting.set(owner, new Set([start]))
  }

  #withdraw(owner: string, start: () => void): void {
    const own = this.#waiting.get(owner)
    own?.delete(start)
    if (own?.size === 0) this.#waiting.delete(owner)
  }

  #release(): void {
    for (const [owner, own] of this.#waiting) {
      this.#waiting.delete(owner)
      const [start] = own
      if (!start) continue
      own.delete(start)
      if (own.size > 0) this.#waiting.set(owner, own)
      return start()
    }
    this.#free += 1
  }
}

/**
 * A task of {@link FairSlots}. It does not throw.
 * @param leave releases its slot, also while the task begins. Harmless when called again
 */
export type SlotTask = (leave: () => void) => void

/** A task that waits for a slot, or has one. */
interface Entry {
  readonly owner: string
  /** Cleared when the task begins or leaves, so that the entry does not keep the task's memory. */
  begin: SlotTask | undefined
  state: 'waiting' | 'running' | 'left'
}

/**
 * Runs a bounded number of tasks at once. Further tasks wait: the owners take turns, and the tasks
 * of one owner begin in order. So an owner with many tasks delays another one by one task at most.
 *
 * A task has its slot until it leaves for the first time.
 */
export class FairSlots {
  /** The waiting tasks by owner. The owner whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<Entry>>()
  #free: number
  #isBeginning = false

  /** @param size how many tasks may run at once */
  constructor(size: number) {
    this.#free = size
  }

  /** How many owners have waiting tasks. */
  get size(): number {
    return this.#waiting.size
  }

  /** How many slots are free. */
  get free(): number {
    return this.#free
  }

  /**
   * Begins a task as soon as a slot is free: at once, or later.
   * @returns a function that releases the slot, or withdraws a waiting task. Harmless when called
   *   again
   */
  enter(owner: string, begin: SlotTask): () => void {
    const entry: Entry = { owner, begin, state: 'waiting' }
    if (this.#free > 0 && this.#waiting.size === 0) this.#begin(entry)
    else this.#wait(entry)
    return () => this.#leave(entry)
  }

  #begin(entry: Entry): void {
    const { begin } = entry
    this.#free -= 1
    entry.begin = undefined
    entry.state = 'running'
    begin?.(() => this.#leave(entry))
  }

  #wait(entry: Entry): void {
    const own = this.#waiting.get(entry.owner)
    if (own) own.add(entry)
    else this.#waiting.set(entry.owner, new Set([entry]))
  }

  #leave(entry: Entry): void {
    const { owner, state } = entry
    entry.state = 'left'
    entry.begin = undefined
    if (state === 'running') this.#release()
    if (state !== 'waiting') return
    const own = this.#waiting.get(owner)
    own?.delete(entry)
    if (own?.size === 0) this.#waiting.delete(owner)
  }

  /**
   * One loop begins all tasks that can begin: a task that leaves while it begins does not deepen
   * the stack.
   */
  #release(): void {
    this.#free += 1
    if (this.#isBeginning) return
    this.#isBeginning = true
    try {
      while (this.#free > 0) {
        const next = this.#takeNext()
        if (!next) return
        this.#begin(next)
      }
    } finally {
      this.#isBeginning = false
    }
  }

  #takeNext(): Entry | undefined {
    for (const [owner, own] of this.#waiting) {
      this.#waiting.delete(owner)
      const [entry] = own
      if (!entry) continue
      own.delete(entry)
      if (own.size > 0) this.#waiting.set(owner, own)
      return entry
    }
    return undefined
  }
}

/**
 * A task of {@link FairSlots}. It does not throw.
 * @param leave gives its slot back, also while it begins. Harmless when called again
 */
export type SlotTask = (leave: () => void) => void

/** A task that waits for a slot, or has one. */
interface Entry {
  readonly owner: string
  /**
   * Taken away when it begins or leaves: what holds the entry does not hold what the task needs.
   */
  begin: SlotTask | undefined
  state: 'waiting' | 'running' | 'left'
}

/**
 * Lets a given number of tasks run at once. Further ones wait: the owners take turns, and the tasks
 * of one owner begin in the order of arrival. So an owner with many tasks delays another by one
 * task at most.
 *
 * A task has its slot until it leaves for the first time, whenever that is.
 */
export class FairSlots {
  /** The tasks that wait, by owner. The owner whose turn is next comes first. */
  readonly #waiting = new Map<string, Set<Entry>>()
  #free: number
  #isBeginning = false

  /** @param size how many tasks may run at once */
  constructor(size: number) {
    this.#free = size
  }

  /** How many owners wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** How many slots are free. */
  get free(): number {
    return this.#free
  }

  /**
   * Begins a task as soon as a slot is free: at once, or later.
   * @returns gives the slot back, or withdraws a task that has not begun. Harmless when called
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

  /** One loop begins all that can: a task that leaves while it begins makes the stack no deeper. */
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

/** Milliseconds in which searches are counted. */
const PERIOD = 1000

/** Milliseconds of each period that searches may take; one that has begun goes on. */
const BUDGET = 20

/** Names of each period whose search is remembered. */
const NAMES = 100

/**
 * Searches for the names that were meant, within a bounded time of each second: clients choose the wrong ones at will. What
 * was found is remembered for the rest of the second.
 */
export class Suggestions {
  readonly #search: (wrong: string) => string | undefined
  readonly #found = new Map<string, string | undefined>()
  #start = Number.NEGATIVE_INFINITY
  #spent = 0

  constructor(search: (wrong: string) => string | undefined) {
    this.#search = search
  }

  /** @returns `undefined` if nothing is near enough, or the time of this second is spent */
  for(wrong: string): string | undefined {
    const now = performance.now()
    if (now - this.#start >= PERIOD) this.#begin(now)
    if (this.#found.has(wrong) || this.#spent >= BUDGET) return this.#found.get(wrong)
    const found = this.#search(wrong)
    this.#spent += performance.now() - now
    if (this.#found.size < NAMES) this.#found.set(wrong, found)
    return found
  }

  #begin(now: number): void {
    this.#start = now
    this.#spent = 0
    this.#found.clear()
  }
}

/** Milliseconds of a period in which searches are counted. */
const PERIOD = 1000

/** Milliseconds of each period for searches; a running search is finished. */
const BUDGET = 20

/** Names of each period whose results are remembered. */
const NAMES = 100

/**
 * Finds the names that wrong ones most likely mean, within a bounded time of each second, since
 * clients choose wrong names at will. Results are remembered for the rest of the second.
 */
export class Suggestions {
  readonly #search: (wrong: string) => string | undefined
  readonly #found = new Map<string, string | undefined>()
  #start = Number.NEGATIVE_INFINITY
  #spent = 0

  constructor(search: (wrong: string) => string | undefined) {
    this.#search = search
  }

  /** @returns `undefined` if nothing is near enough, or the time of this second is used up */
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

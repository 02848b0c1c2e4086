/** Entries that are set until the place before the oldest is looked for again. */
const RENEWAL = 65_536

/**
 * A map that knows which of its entries was set least recently, and can be looked through a little at a time. All of it
 * costs the same however many entries there are.
 */
export class AgingMap<Value> {
  readonly #entries = new Map<string, Value>()
  /**
   * Stands before the oldest. A new iterator would have to pass everything that was deleted at the front, and an old one
   * keeps tables that the map has left: so it is kept for a while only, see {@link set} and {@link lookAt}.
   */
  #front: Iterator<[string, Value]> | undefined
  #round: Iterator<[string, Value]> = [].values()
  #leftOfRound = 0
  #sets = 0
  #eachTime = 1

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  /** Sets an entry: it is the youngest now. */
  set(key: string, value: Value): void {
    this.#sets = (this.#sets + 1) % RENEWAL
    if (this.#sets === 0) this.#front = undefined
    this.#entries.delete(key)
    this.#entries.set(key, value)
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** Takes the oldest out. */
  takeOldest(): [key: string, value: Value] | undefined {
    const next = this.#front?.next()
    if (next && !next.done) return this.#take(next.value)
    this.#front = this.#entries.entries()
    const first = this.#front.next()
    return first.done ? undefined : this.#take(first.value)
  }

  /**
   * Calls for some entries, each time for the next ones, so that each is looked at again and again. Entries may be deleted
   * meanwhile.
   * @param times in how many calls all are looked at that were there at the first of them
   */
  lookAt(times: number, look: (key: string, value: Value) => void): void {
    this.#front = undefined
    if (this.#leftOfRound <= 0) this.#beginRound(times)
    for (let left = Math.min(this.#eachTime, this.size); left > 0; left -= 1) {
      const next = this.#round.next()
      // Those that are set meanwhile move to its end again and again: it ends after as many as there were.
      this.#leftOfRound -= 1
      if (next.done) this.#leftOfRound = 0
      else look(...next.value)
      if (this.#leftOfRound <= 0) return
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#front = undefined
    this.#round = [].values()
    this.#leftOfRound = 0
  }

  #beginRound(times: number): void {
    this.#round = this.#entries.entries()
    this.#leftOfRound = this.size
    this.#eachTime = Math.ceil(this.size / times)
  }

  #take(entry: [string, Value]): [string, Value] {
    this.#entries.delete(entry[0])
    return entry
  }
}

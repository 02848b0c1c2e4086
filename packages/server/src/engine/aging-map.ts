/** Entries that are set until the iterator's start is renewed. */
const RENEWAL = 65_536

/**
 * A map that knows which of its entries was set least recently, and that can be swept a little at a
 * time. Each operation costs the same, whatever the number of entries.
 */
export class AgingMap<Value> {
  readonly #entries = new Map<string, Value>()
  /**
   * An iterator before the oldest entry. A new iterator would have to pass all deleted entries at
   * the front, and an old one keeps tables that the map has abandoned. So it is kept for a while
   * only, see {@link set} and {@link lookAt}.
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

  /** @returns whether the entry existed */
  delete(key: string): boolean {
    return this.#entries.delete(key)
  }

  /** Removes the oldest entry. */
  takeOldest(): [key: string, value: Value] | undefined {
    const next = this.#front?.next()
    if (next && !next.done) return this.#take(next.value)
    this.#front = this.#entries.entries()
    const first = this.#front.next()
    return first.done ? undefined : this.#take(first.value)
  }

  /**
   * Calls a function for some entries, each time for the next ones, so that each is visited again
   * and again. Entries may be deleted meanwhile.
   * @param times in how many calls all entries of the first call are visited
   */
  lookAt(times: number, look: (key: string, value: Value) => void): void {
    this.#front = undefined
    if (this.#leftOfRound <= 0) this.#beginRound(times)
    for (let left = Math.min(this.#eachTime, this.size); left > 0; left -= 1) {
      const next = this.#round.next()
      // Entries that are set meanwhile move to the end again and again: it stops after the original
      // number of entries.
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

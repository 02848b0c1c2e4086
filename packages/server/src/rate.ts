/** Counts what happens, a second at a time. */
export class Rate {
  #second = Number.NEGATIVE_INFINITY
  #count = 0

  /** One more. @returns how many there were in this second, it included. The next begins with the first after it is over. */
  count(): number {
    const now = performance.now()
    if (now - this.#second >= 1000) {
      this.#second = now
      this.#count = 0
    }
    return ++this.#count
  }
}

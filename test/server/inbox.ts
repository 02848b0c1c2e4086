/** What arrives, in order, whether one waits for it already or asks for it later. */
export class Inbox<T> {
  readonly #items: T[] = []
  readonly #waiting: ((item: T) => void)[] = []

  put(item: T): void {
    const taker = this.#waiting.shift()
    if (taker) taker(item)
    else this.#items.push(item)
  }

  /** The next one. */
  next(): Promise<T> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** The next so many. */
  async take(count: number): Promise<T[]> {
    const items: T[] = []
    while (items.length < count) items.push(await this.next())
    return items
  }

  /** What nobody has asked for yet. */
  get rest(): readonly T[] {
    return this.#items
  }
}

/** Messages that arrived together, taken one at a time. */
export interface Batch {
  /** Returns the next message; `undefined` after the last. */
  next(): unknown
  /** How many messages are kept as texts of their own. */
  readonly size: number
}

/** Line feed. */
const BREAK = 10

/**
 * The messages of a text, one per line. It searches each line when it is taken: a frame can have
 * 500,000 of them.
 */
export class LineBatch implements Batch {
  readonly size = 1
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  next(): string | undefined {
    const text = this.#text
    while (text.charCodeAt(this.#at) === BREAK) this.#at += 1
    if (this.#at >= text.length) return undefined
    const found = text.indexOf('\n', this.#at)
    const end = found < 0 ? text.length : found
    const line = text.slice(this.#at, end)
    this.#at = end + 1
    return line
  }
}

/** The messages of a list. */
export class ListBatch implements Batch {
  readonly #messages: readonly unknown[]
  #at = 0

  constructor(messages: readonly unknown[]) {
    this.#messages = messages
  }

  get size(): number {
    return this.#messages.length
  }

  next(): unknown {
    if (this.#at >= this.#messages.length) return undefined
    const message = this.#messages[this.#at]
    this.#at += 1
    return message
  }
}

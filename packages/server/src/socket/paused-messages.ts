/** Dependencies of {@link PausedMessages}. */
export interface PausedMessagesOwner {
  /** UTF-16 code units of messages that may wait. */
  readonly limit: number
  /** Whether the client has read enough of its answers. If not, {@link PausedMessages.resume} is called once it has. */
  hasRoom(): boolean
  /** A message's turn has come. */
  receive(text: unknown): void
  /** More than the limit waits: the client sends, and does not read. */
  onoverflow(): void
  /** Asks the network to stop, or to go on. */
  setPaused(isPaused: boolean): void
}

/** The messages of a client that does not read its answers: they wait, in order, until it does. */
export class PausedMessages {
  readonly #owner: PausedMessagesOwner
  #texts: unknown[] = []
  #size = 0
  #isResuming = false

  constructor(owner: PausedMessagesOwner) {
    this.#owner = owner
  }

  /** Passes a message on, now or later. */
  take(text: unknown): void {
    if (this.#texts.length === 0) {
      if (this.#owner.hasRoom()) return this.#owner.receive(text)
      this.#owner.setPaused(true)
    }
    this.#texts.push(text)
    this.#size += lengthOf(text)
    if (this.#size > this.#owner.limit) this.#owner.onoverflow()
  }

  /** The client has read: its messages go on, until there is no room again. */
  resume(): void {
    if (this.#texts.length === 0 || this.#isResuming) return
    this.#isResuming = true
    let next = 0
    try {
      while (next < this.#texts.length && this.#owner.hasRoom()) {
        next += 1
        this.#owner.receive(this.#texts[next - 1])
      }
    } finally {
      this.#drop(next)
      this.#isResuming = false
    }
    if (this.#texts.length === 0) this.#owner.setPaused(false)
  }

  /** The connection is gone. */
  clear(): void {
    this.#drop(this.#texts.length)
  }

  #drop(count: number): void {
    for (const text of this.#texts.splice(0, count)) this.#size -= lengthOf(text)
  }
}

/** UTF-16 code units. What is no text is answered with an error, and is no longer than its body. */
function lengthOf(text: unknown): number {
  return typeof text === 'string' ? text.length : 0
}

/** A place in what an outbox has sent, and will send, in code units. */
interface Mark {
  readonly at: number
  readonly reached: () => void
}

/** What waits until an outbox has handed a message to its connection. Made with the first one. */
export class WriteMarks {
  #sent = 0
  #marks: Mark[] = []

  /** @param waiting code units that wait, with the message that is meant as the last */
  add(waiting: number, reached: () => void): void {
    this.#marks.push({ at: this.#sent + waiting, reached })
  }

  /** The connection was handed a given number of code units. */
  sent(units: number): void {
    this.#sent += units
    const left = this.#marks.findIndex(({ at }) => at > this.#sent)
    if (left === 0 || this.#marks.length === 0) return
    const reached = this.#marks.splice(0, left < 0 ? this.#marks.length : left)
    for (const mark of reached) mark.reached()
  }

  /** What waits is dropped. Nothing is called for it. */
  clear(): void {
    this.#marks = []
  }
}

/** A function that waits until a number of frames is sent. */
interface Mark {
  frames: number
  readonly done: () => void
}

/**
 * Counts the frames that `ws` compresses or has not sent yet, and calls functions that wait for
 * them.
 */
export class FrameMarks {
  #unsent = 0
  #marks: Mark[] = []

  /** A frame is about to be sent. */
  begin(): void {
    this.#unsent += 1
  }

  /** A frame is sent. @param error if it will never be sent */
  end(error?: Error | null): void {
    this.#unsent -= 1
    if (error || this.#marks.length === 0) return
    const marks = this.#marks
    for (const mark of marks) mark.frames -= 1
    this.#marks = marks.filter(({ frames }) => frames > 0)
    for (const { frames, done } of marks) if (frames <= 0) done()
  }

  /** Calls a function when the frames that have begun so far are sent. */
  add(done: () => void): void {
    if (this.#unsent === 0) done()
    else this.#marks.push({ frames: this.#unsent, done })
  }
}

/** Something that waits until a number of frames is sent. */
interface Mark {
  frames: number
  readonly done: () => void
}

/** The frames that `ws` compresses, or has not sent yet, and what waits for them. */
export class FrameMarks {
  #unsent = 0
  #marks: Mark[] = []

  /** A frame is about to be sent. */
  begin(): void {
    this.#unsent += 1
  }

  /** A frame has left. @param error it never will */
  end(error?: Error | null): void {
    this.#unsent -= 1
    if (error || this.#marks.length === 0) return
    const marks = this.#marks
    for (const mark of marks) mark.frames -= 1
    this.#marks = marks.filter(({ frames }) => frames > 0)
    for (const { frames, done } of marks) if (frames <= 0) done()
  }

  /** Calls back once the frames that have begun until now are sent. */
  add(done: () => void): void {
    if (this.#unsent === 0) done()
    else this.#marks.push({ frames: this.#unsent, done })
  }
}

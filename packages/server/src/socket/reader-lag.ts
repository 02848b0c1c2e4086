/** How far the reader of an {@link Outbox} is behind. Made when it falls behind, and dropped once it has caught up. */
export class ReaderLag {
  /** Since when it is behind; milliseconds, as of `performance.now`. */
  readonly since = performance.now()
  /** For how long it has taken nothing; milliseconds. */
  stalledFor = 0
  /** What was taken since the last look, and between the two before. */
  taken = 0
  takenBefore = 0
  /** What the connection held at the last look. */
  buffered: number
  /** For how long more waits than the reader takes, and when that was last seen; milliseconds. */
  overFor = 0
  overAt: number | undefined

  /** @param buffered bytes that the connection holds */
  constructor(buffered: number) {
    this.buffered = buffered
  }

  /** What the reader has taken in the last one or two looks. */
  get recentlyTaken(): number {
    return this.taken + this.takenBefore
  }

  /**
   * Notes the reader's progress.
   * @param elapsed milliseconds since the last look
   */
  look(
    elapsed: number,
    { isTaking, buffered }: { readonly isTaking: boolean; readonly buffered: number },
  ): void {
    this.stalledFor = isTaking || this.taken > 0 ? 0 : this.stalledFor + elapsed
    this.takenBefore = this.taken
    this.taken = 0
    this.buffered = buffered
  }

  /** Too much waits, at the end of a turn. @param most milliseconds that one turn counts at most */
  noteOver(most: number): void {
    const now = performance.now()
    this.overFor += Math.min(now - (this.overAt ?? now), most)
    this.overAt = now
  }

  /** No longer too much waits. */
  forgive(): void {
    this.overFor = 0
    this.overAt = undefined
  }
}

/** Milliseconds within which `regenerate` of a store calls its `destroy`, if at all. */
const TIME = 1000

/** Sessions that are recorded at once. Of more, the oldest are removed. */
const SESSIONS = 10_000

/**
 * Sessions that are being replaced: the next `destroy` of each, within a second, is no sign-out.
 * This applies to one `destroy` only. Stores may fail or hang in it, and a later one is a sign-out.
 */
export class ReplacedSessions {
  /** By session, the end of the second. The oldest is the first. */
  readonly #ends = new Map<string, number>()

  /** How many are recorded. */
  get size(): number {
    return this.#ends.size
  }

  add(sid: string): void {
    this.#ends.delete(sid)
    this.#ends.set(sid, performance.now() + TIME)
    for (const [oldest, end] of this.#ends) {
      if (this.#ends.size <= SESSIONS && end > performance.now()) return
      this.#ends.delete(oldest)
    }
  }

  /** Removes a session. @returns whether it was being replaced */
  take(sid: string): boolean {
    const end = this.#ends.get(sid)
    return this.#ends.delete(sid) && end !== undefined && end > performance.now()
  }
}

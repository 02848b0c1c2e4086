/**
 * The SockJS sessions of the HTTP transports, each bound to whoever opened it (its address and its page's origin):
 * knowing a session's id is not enough to speak for it.
 */
export class PollingSessions {
  readonly #holders = new Map<string, string>()

  /** How many there are. */
  get size(): number {
    return this.#holders.size
  }

  /** Whether there is such a session. */
  has(session: string): boolean {
    return this.#holders.has(session)
  }

  /** Whether the session is this holder's. */
  belongs(session: string, holder: string): boolean {
    return this.#holders.get(session) === holder
  }

  /** Opens a session, or joins one's own. @returns false if it is somebody else's */
  claim(session: string, holder: string): boolean {
    if (!this.has(session)) this.#holders.set(session, holder)
    return this.belongs(session, holder)
  }

  /** The session is over. */
  release(session: string): void {
    this.#holders.delete(session)
  }
}

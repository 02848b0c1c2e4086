import type { RequestBody } from './request-bodies.js'
import type { SessionHolder, SessionOwner } from './session-binding.js'

/** The connection of a session. */
export interface SessionConnection {
  /** Closes it, since its first message is too large. */
  tooLarge(): void
  /**
   * Takes the messages of a body, in order, up to the first over a limit.
   * @returns what to say of that one
   */
  receive(messages: readonly unknown[]): string | undefined
  /** Resolves when none of its messages waits for its turn; `undefined` if none does. */
  emptied(): Promise<void> | undefined
}

/** One session of the HTTP transports. */
export class PollingSession {
  /** The body that is being read. */
  body: RequestBody | undefined
  /** How many bodies are being read, which is one at a time, or wait for that. */
  sends = 0
  /** Resolves when the bodies so far have been read. */
  sent: Promise<unknown> = Promise.resolve()
  /** Whether its socket has signed in. Until then its bodies have to be small. */
  isAuthenticated = false
  /** Left out until it has one. */
  connection: SessionConnection | undefined
  /** Whether it is over, except for the poll that fetches why. What it sends is not read any more. */
  isClosed = false

  /**
   * @param owner who may speak for it
   * @param address what the limits for each address count by
   */
  constructor(
    readonly owner: Pick<SessionOwner, 'admits'>,
    readonly address: string,
  ) {}

  /** It is over: nothing of it is read any more. */
  close(): void {
    this.isClosed = true
    this.body?.end()
  }
}

/**
 * The SockJS sessions of the HTTP transports, each bound to the client that opened it: knowing a
 * session's id is not enough to speak for it.
 */
export class PollingSessions {
  readonly #sessions = new Map<string, PollingSession>()

  /** How many there are. */
  get size(): number {
    return this.#sessions.size
  }

  /** Whether there is such a session. */
  has(session: string): boolean {
    return this.#sessions.has(session)
  }

  /** The session, if there is one. */
  get(session: string): PollingSession | undefined {
    return this.#sessions.get(session)
  }

  /** The session, if this holder may speak for it. */
  of(session: string, holder: SessionHolder): PollingSession | undefined {
    const found = this.#sessions.get(session)
    return found?.owner.admits(holder) ? found : undefined
  }

  /**
   * Joins a session, or opens it.
   * @param open makes one that does not exist yet
   * @returns `undefined` if it is of another holder
   */
  claim(session: string, holder: SessionHolder, open: () => PollingSession): PollingSession | undefined {
    if (this.has(session)) return this.of(session, holder)
    const opened = open()
    this.#sessions.set(session, opened)
    return opened
  }

  /** The session is over. @returns it, if it was there */
  release(session: string): PollingSession | undefined {
    const found = this.#sessions.get(session)
    found?.close()
    this.#sessions.delete(session)
    return found
  }
}

import type { RequestBody } from './request-bodies.js'
import type { SessionHolder, SessionOwner } from './session-binding.js'

/** The connection of a session. */
export interface SessionConnection {
  /** Closes it, because its first message is too large. */
  tooLarge(): void
  /**
   * Handles the messages of a body, in order, up to the first that exceeds a limit.
   * @returns the text that refuses this message
   */
  receive(messages: readonly unknown[]): string | undefined
  /** Resolves when no message waits for its turn. Returns `undefined` if none waits. */
  emptied(): Promise<void> | undefined
}

/** One session of the HTTP transports. */
export class PollingSession {
  /** The body that is being read. */
  body: RequestBody | undefined
  /** How many bodies are being read or wait for it. They are read one after the other. */
  sends = 0
  /** Resolves when the bodies so far have been read. */
  sent: Promise<unknown> = Promise.resolve()
  /** Whether its socket is authenticated. Until then its bodies have to be small. */
  isAuthenticated = false
  /** Not set until it has one. */
  connection: SessionConnection | undefined
  /** Whether it is closed. Only a poll for the reason is still answered; its bodies are ignored. */
  isClosed = false

  /**
   * @param owner the client that may use it
   * @param address the address that it counts for
   */
  constructor(
    readonly owner: Pick<SessionOwner, 'admits'>,
    readonly address: string,
  ) {}

  /** Closes it, and stops reading its body. */
  close(): void {
    this.isClosed = true
    this.body?.end()
  }
}

/**
 * The SockJS sessions of the HTTP transports. Each is bound to the client that opened it: knowing
 * its id is not enough to use it.
 */
export class PollingSessions {
  readonly #sessions = new Map<string, PollingSession>()

  /** How many sessions exist. */
  get size(): number {
    return this.#sessions.size
  }

  /** Returns whether a session exists. */
  has(session: string): boolean {
    return this.#sessions.has(session)
  }

  /** Returns the session, if it exists. */
  get(session: string): PollingSession | undefined {
    return this.#sessions.get(session)
  }

  /** Returns the session, if this holder may use it. */
  of(session: string, holder: SessionHolder): PollingSession | undefined {
    const found = this.#sessions.get(session)
    return found?.owner.admits(holder) ? found : undefined
  }

  /**
   * Joins a session, or opens it.
   * @param open creates a session that does not exist yet
   * @returns `undefined` if it belongs to another holder
   */
  claim(session: string, holder: SessionHolder, open: () => PollingSession): PollingSession | undefined {
    if (this.has(session)) return this.of(session, holder)
    const opened = open()
    this.#sessions.set(session, opened)
    return opened
  }

  /** Removes a session that has ended. @returns it, if it existed */
  release(session: string): PollingSession | undefined {
    const found = this.#sessions.get(session)
    found?.close()
    this.#sessions.delete(session)
    return found
  }
}

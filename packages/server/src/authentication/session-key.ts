import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/**
 * A mistake in the application's setup. The text says how to correct it; a stack would add nothing.
 */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  /** Details for the log line. */
  readonly details: object

  constructor(message: string, details: object) {
    super(message)
    this.details = details
  }
}

/** The advice if `req.session` does not exist. */
export const WITHOUT_SESSION =
  'req.session is not there: mount the session middleware before TokenSocketServer, or give an authentication function'

/** Property names of a session in a warning, at most. */
const NAMES = 10

/** Settings of a {@link SessionKey}. */
export interface SessionKeyOptions {
  readonly log: Pick<ThrottledLog, 'write'>
  /**
   * Whether a warning names the session's properties if the key is not among them. @default false
   */
  readonly warns?: boolean | undefined
}

/**
 * The option `authentication` as the key of a session: a user with a value under this key is signed
 * in.
 */
export class SessionKey {
  readonly #key: string
  readonly #options: SessionKeyOptions
  /** Whether a session had a value under the key: then the key is right. */
  #isProven = false

  constructor(key: string, options: SessionKeyOptions) {
    this.#key = key
    this.#options = options
  }

  /**
   * Returns whether the session of a request has a value under the key. @throws SetupError if there
   * is no session
   */
  isSignedIn(request: object): boolean {
    const session: unknown = 'session' in request ? request.session : undefined
    if (typeof session !== 'object' || session === null)
      throw new SetupError(WITHOUT_SESSION, { option: 'authentication', key: this.#key })
    const isSignedIn =
      Object.hasOwn(session, this.#key) && Boolean((session as Record<string, unknown>)[this.#key])
    this.#isProven ||= isSignedIn
    if (!isSignedIn && !this.#isProven && this.#options.warns) this.#warn(session)
    return isSignedIn
  }

  /** Warns of a session without the key. A session with other values belongs to a visitor, or the key is misspelt. */
  #warn(session: object): void {
    const names: string[] = []
    for (const name in session) {
      if (name === 'cookie' || name === this.#key || !Object.hasOwn(session, name)) continue
      if (names.push(name) === NAMES) break
    }
    if (names.length === 0) return
    const details = {
      option: 'authentication',
      key: this.#key,
      found: shorten(names.join(', ')),
    }
    this.#options.log.write('session key', ['warn', details, WRONG_KEY])
  }
}

const WRONG_KEY =
  'a session has values, but none under the key that `authentication` names: is it the right key, such as "user"?'

import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/** The application is put together wrongly: the text says how to mend it, and no stack would say more. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
  /** What the log says beside the text. */
  readonly details: object

  constructor(message: string, details: object) {
    super(message)
    this.details = details
  }
}

/** What to do where `req.session` is not there. */
export const WITHOUT_SESSION =
  'req.session is not there: mount the session middleware before TokenSocketServer, or give an authentication function'

/** Names of a session's own that a warning has. */
const NAMES = 10

/** Settings of a {@link SessionKey}. */
export interface SessionKeyOptions {
  readonly log: Pick<ThrottledLog, 'write'>
  /** Whether sessions that have other values than the key's are named. @default false */
  readonly warns?: boolean | undefined
}

/** The option `authentication` as the key of a session: who has a value there is signed in. */
export class SessionKey {
  readonly #key: string
  readonly #options: SessionKeyOptions
  /** Once a session had a value there, the key is right. */
  #isProven = false

  constructor(key: string, options: SessionKeyOptions) {
    this.#key = key
    this.#options = options
  }

  /** Whether the session of a request has a value under the key. @throws SetupError if there is no session */
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

  /** A session with other values may be that of a visitor, or the key is misspelt. */
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

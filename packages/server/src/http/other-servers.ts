import type { Server } from 'node:http'
import type { Logger } from '../runtime/logger.js'

const MESSAGE = 'a token request came by another HTTP server than the one that was given as `server`'

/** `app.listen()` creates a server of its own, which does not know the sockets. */
const NOT_LISTENING =
  'call listen on the HTTP server that was given as `server`, instead of app.listen(), which makes another one'

const LISTENING =
  'sockets connect by the given one only: send clients there, or make a TokenSocketServer for the other one, too'

/**
 * Warns of HTTP servers on which clients get tokens, but cannot connect: the application answers on
 * them, the TokenSocketServer does not. Each is reported once.
 */
export class OtherServers {
  readonly #given: Server
  readonly #prefix: string
  readonly #logger: Pick<Logger, 'warn'>
  readonly #named = new WeakSet<Server>()

  /** @param given the server on which sockets connect, under the prefix */
  constructor(given: Server, prefix: string, logger: Pick<Logger, 'warn'>) {
    this.#given = given
    this.#prefix = prefix
    this.#logger = logger
  }

  /**
   * A token request arrived on another server. If that server accepts upgrades, it may pass them
   * on, as it did with this request.
   */
  note(other: Server): void {
    if (this.#named.has(other)) return
    this.#named.add(other)
    const isAlone = this.#given.listening === false
    if (!isAlone && other.listenerCount('upgrade') > 0) return
    const hint = isAlone ? NOT_LISTENING : LISTENING
    const [given, came] = [placeOf(this.#given), placeOf(other)]
    this.#logger.warn({ option: 'server', prefix: this.#prefix, given, other: came, hint }, MESSAGE)
  }
}

function placeOf(server: Server): string {
  const address = typeof server.address === 'function' ? server.address() : null
  if (address === null) return 'not listening'
  return typeof address === 'string' ? address : `port ${address.port}`
}

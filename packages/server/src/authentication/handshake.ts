import {
  type AuthMessage,
  CLOSE_CODES,
  type CloseReason,
  decodeClientMessage,
  encodeServerMessage,
  encodeThrown,
  isPassing,
  parseJson,
  RpcError,
  TimeoutScheduler,
} from '@token-socket/protocol'
import { codeOf } from '../runtime/thrown-values.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import type { BufferedConnection, BufferedListener } from '../socket/buffered-connection.js'
import type { Closing } from '../socket/closings.js'
import { RevokedMeanwhile } from './connect-authentication.js'
import { PendingConnection } from './pending-connection.js'

/** Dependencies of a {@link Handshake}. */
export interface HandshakeOwner {
  /** Milliseconds that a connection has to send its token; `undefined` for no limit. */
  authTimeout(): number | undefined
  readonly limits: {
    /** UTF-16 code units that the first message may have. */
    readonly authMessage: number
  }
  /**
   * Whether the request that opened a connection may authenticate it, without a token. @default
   * false
   */
  readonly takesRequests?: boolean
  /** Queues the tokens. */
  readonly throttle: Pick<TurnThrottle, 'run'>
  /**
   * Takes the ticket that a token stands for, and authenticates the socket.
   * @param arrival receives the connection's next listener, and knows whether it has ended
   * @throws RpcError the error for the client, before the connection is closed
   */
  authenticate(
    message: AuthMessage,
    connection: BufferedConnection,
    arrival: PendingConnection,
  ): Promise<void>
  failed(cause: unknown, details: object): void
  /**
   * An unauthenticated connection ended, by its client or its transport. @param byPeer whether its
   * client closed it
   */
  left?(closing: Closing, byPeer: boolean): void
  /**
   * The server closes an unauthenticated connection. Not called for a refused token, whose reason
   * is logged already.
   */
  refused(closing: Closing): void
}

/** Milliseconds that checking a token may take, without the listeners. */
const VERIFY_TIMEOUT = 30_000

/**
 * Milliseconds that a client of another protocol stays connected where unauthenticated connections
 * have no time limit.
 */
const FOREIGN_TIMEOUT = 5000

/**
 * The connections that are not authenticated. Each may send one small message, its token, within
 * the time limit.
 */
export class Handshakes {
  readonly #owner: HandshakeOwner
  readonly #waiting = new Set<BufferedConnection>()
  /** Those whose token is being checked, whether they have a listener of their own or not. */
  readonly #asking = new Map<BufferedConnection, PendingConnection>()
  /** Those that sent something of another protocol, and are closed when their time is over. */
  readonly #foreign = new Set<BufferedConnection>()
  readonly #deadlines = new TimeoutScheduler<BufferedConnection>((connection) =>
    this.#close(connection, this.#foreign.has(connection) ? 'auth_required' : 'auth_timeout'),
  )

  #closedWith: CloseReason | undefined

  constructor(owner: HandshakeOwner) {
    this.#owner = owner
  }

  /** How many connections are not authenticated. */
  get size(): number {
    return this.#waiting.size + this.#asking.size
  }

  /** A connection opened. */
  begin(connection: BufferedConnection): void {
    let listener: BufferedListener | undefined
    let end: Parameters<BufferedListener['closed']> | undefined
    let hasSpoken = false
    const arrival = new PendingConnection((adopter) => {
      this.#deadlines.delete(connection)
      listener = adopter
      connection.authenticated?.()
      if (end) adopter.closed(...end)
    })
    this.#waiting.add(connection)
    this.#deadlines.set(connection, this.#owner.authTimeout() ?? 0)
    connection.listen({
      message: (text) => {
        if (listener) return listener.message(text)
        if (this.#foreign.has(connection)) return
        if (hasSpoken) return this.#close(connection, 'auth_required', TOO_EARLY)
        hasSpoken = true
        this.#hear(text, connection, arrival)
      },
      closed: (...how) => {
        end = how
        const [code, reason, byPeer = false] = how
        if (!listener && this.#has(connection))
          this.#owner.left?.({ code, reason, transport: connection.transport }, byPeer)
        this.#forget(connection)
        arrival.close()
        listener?.closed(...how)
      },
    })
    if (this.#closedWith) this.#close(connection, this.#closedWith)
  }

  /**
   * Gives the connections that have not sent their token a new time limit.
   * @param authTimeout milliseconds, or `undefined` for none
   */
  limit(authTimeout: number | undefined): void {
    for (const connection of this.#waiting)
      if (!this.#foreign.has(connection)) this.#deadlines.set(connection, authTimeout ?? 0)
  }

  /** Closes all connections that are not authenticated, and those that open from now on. */
  close(why: CloseReason): void {
    this.#closedWith = why
    for (const connection of [...this.#waiting, ...this.#asking.keys()]) this.#close(connection, why)
    this.#deadlines.clear()
  }

  #hear(text: unknown, connection: BufferedConnection, arrival: PendingConnection): void {
    if (typeof text === 'string' && text.length > this.#owner.limits.authMessage) {
      return this.#close(connection, 'too_large')
    }
    const message = authMessage(text)
    if (!message && !isOfThisWire(text)) return this.#ignore(connection)
    if (!message || (message.token === undefined && !this.#takes(connection)))
      return this.#close(connection, 'auth_required')
    this.#forget(connection)
    this.#asking.set(connection, arrival)
    // An engine that hangs must not keep connections that are never authenticated.
    this.#deadlines.set(connection, VERIFY_TIMEOUT)
    this.#owner.throttle.run(() => {
      // The connection may have closed while it waited: its token is not used up.
      if (!this.#asking.has(connection)) return
      this.#owner
        .authenticate(message, connection, arrival)
        .catch((cause) => this.#turnAway(message, connection, cause))
        .finally(() => {
          this.#asking.delete(connection)
          arrival.settle()
          // From now on no object of the handshake stands between the connection and its socket.
          if (arrival.adopter && !arrival.isClosed) connection.listen(arrival.adopter)
        })
    })
  }

  /**
   * A client of another protocol knows no close codes, and may reconnect at once, again and again.
   * So it is closed only when the time for its token is over, and its messages are ignored until
   * then.
   */
  #ignore(connection: BufferedConnection): void {
    this.#foreign.add(connection)
    if (this.#owner.authTimeout() === undefined) this.#deadlines.set(connection, FOREIGN_TIMEOUT)
  }

  #takes({ request }: BufferedConnection): boolean {
    return this.#owner.takesRequests === true && request !== undefined
  }

  #turnAway({ id, token }: AuthMessage, connection: BufferedConnection, cause: unknown): void {
    // Refusals are logged already. A failure is no refusal.
    if (!RpcError.is(cause) || codeOf(cause) === 'engine_unavailable')
      this.#owner.failed(cause, { step: 'auth' })
    connection.send([this.#encodeRefusal(id, cause)])
    this.#close(connection, token === undefined ? whyWithoutToken(cause) : 'invalid_token')
  }

  #encodeRefusal(id: string, cause: unknown): string {
    const encode = (thrown: unknown) =>
      encodeServerMessage({ type: 'answer', id, rpc: 'auth', outcome: encodeThrown(thrown) })
    try {
      return encode(cause)
    } catch (error) {
      // The data of a listener's refusal is not JSON.
      this.#owner.failed(error, { step: 'auth' })
      return encode(error)
    }
  }

  /** @param text the reason that the client receives. @default that of the close reason */
  #close(connection: BufferedConnection, why: CloseReason, text: string = CLOSE_CODES[why].reason): void {
    this.#asking.get(connection)?.close()
    this.#forget(connection)
    const { code } = CLOSE_CODES[why]
    const { transport } = connection
    if (!SAID_BEFORE.has(why)) this.#owner.refused({ code, reason: why, transport })
    connection.close(code, text)
  }

  /** Returns whether a connection is not authenticated, and the server has not closed it. */
  #has(connection: BufferedConnection): boolean {
    return this.#waiting.has(connection) || this.#asking.has(connection)
  }

  #forget(connection: BufferedConnection): void {
    this.#waiting.delete(connection)
    this.#foreign.delete(connection)
    this.#asking.delete(connection)
    this.#deadlines.delete(connection)
  }
}

/** The reason for closing a client that sends more than its token before it is authenticated. */
const TOO_EARLY = 'A message came before the answer to auth'

/** Close reasons that are logged already, with their cause. */
const SAID_BEFORE: ReadonlySet<CloseReason> = new Set(['invalid_token', 'auth_refused', 'auth_failed'])

/**
 * Returns the reason for closing a connection without a token: a passing failure is no final
 * refusal.
 */
function whyWithoutToken(cause: unknown): CloseReason {
  if (cause instanceof RevokedMeanwhile) return 'revoked'
  return RpcError.is(cause) && !isPassing(cause.code) ? 'auth_refused' : 'auth_failed'
}

/** Returns whether a text is a frame of this protocol's clients, valid or not. */
function isOfThisWire(text: unknown): boolean {
  const frame = typeof text === 'string' ? parseJson(text) : text
  return typeof frame === 'object' && frame !== null && 'rpc' in frame
}

function authMessage(text: unknown): AuthMessage | undefined {
  try {
    const message = decodeClientMessage(text)
    return message.type === 'auth' ? message : undefined
  } catch {
    return undefined
  }
}

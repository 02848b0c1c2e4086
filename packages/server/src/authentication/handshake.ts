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

/** What a {@link Handshake} needs from its server. */
export interface HandshakeOwner {
  /** Milliseconds a connection has for its token; `undefined` for as long as it likes. */
  authTimeout(): number | undefined
  readonly limits: {
    /** UTF-16 code units that the first message may have. */
    readonly authMessage: number
  }
  /**
   * Whether a connection may be let in by the request that opened it, without a token. @default
   * false
   */
  readonly takesRequests?: boolean
  /** What tokens wait at to be looked at. */
  readonly throttle: Pick<TurnThrottle, 'run'>
  /**
   * Takes the ticket that a token stands for and lets the socket in.
   * @param arrival says who hears the connection from now on, and whether it has ended
   * @throws RpcError what the client is told, before the connection is closed
   */
  authenticate(
    message: AuthMessage,
    connection: BufferedConnection,
    arrival: PendingConnection,
  ): Promise<void>
  failed(cause: unknown, details: object): void
  /** A connection that was not let in ended, by its client or its transport. @param byPeer whether by its client */
  left?(closing: Closing, byPeer: boolean): void
  /** A connection is closed that was not let in. Not called for a refused token, whose reason the log has already. */
  refused(closing: Closing): void
}

/** Milliseconds that looking at a token may take, the listeners not counted. */
const VERIFY_TIMEOUT = 30_000

/** Milliseconds that a client of another library stays where connections may be silent for ever. */
const FOREIGN_TIMEOUT = 5000

/** The connections that have not said who they are: one small message is heard, the token, and in time. */
export class Handshakes {
  readonly #owner: HandshakeOwner
  readonly #waiting = new Set<BufferedConnection>()
  /** Those whose token is being looked at, adopted or not. */
  readonly #asking = new Map<BufferedConnection, PendingConnection>()
  /** Those that wait for their time to be over, as what they sent is not of this wire. */
  readonly #foreign = new Set<BufferedConnection>()
  readonly #deadlines = new TimeoutScheduler<BufferedConnection>((connection) =>
    this.#close(connection, this.#foreign.has(connection) ? 'auth_required' : 'auth_timeout'),
  )

  #closedWith: CloseReason | undefined

  constructor(owner: HandshakeOwner) {
    this.#owner = owner
  }

  /** How many are not let in yet. */
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

  /** Closes all that are not let in yet, and whatever opens from now on. */
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
    // An engine that hangs must not keep connections that no one ever lets in.
    this.#deadlines.set(connection, VERIFY_TIMEOUT)
    this.#owner.throttle.run(() => {
      // It may have closed while it waited: its token stays unused.
      if (!this.#asking.has(connection)) return
      this.#owner
        .authenticate(message, connection, arrival)
        .catch((cause) => this.#turnAway(message, connection, cause))
        .finally(() => {
          this.#asking.delete(connection)
          arrival.settle()
          // Nothing of the handshake stands between the connection and its socket from now on.
          if (arrival.adopter && !arrival.isClosed) connection.listen(arrival.adopter)
        })
    })
  }

  /**
   * A client of another library knows no close codes, and may come back at once, as often as it
   * can. So it is closed when the time for its token is over; until then it is not heard.
   */
  #ignore(connection: BufferedConnection): void {
    this.#foreign.add(connection)
    if (this.#owner.authTimeout() === undefined) this.#deadlines.set(connection, FOREIGN_TIMEOUT)
  }

  #takes({ request }: BufferedConnection): boolean {
    return this.#owner.takesRequests === true && request !== undefined
  }

  #turnAway({ id, token }: AuthMessage, connection: BufferedConnection, cause: unknown): void {
    // Refusals have their line already; what fails is no refusal.
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
      // What a listener refused with is not JSON.
      this.#owner.failed(error, { step: 'auth' })
      return encode(error)
    }
  }

  /** @param text what the client gets. @default that of the reason */
  #close(connection: BufferedConnection, why: CloseReason, text: string = CLOSE_CODES[why].reason): void {
    this.#asking.get(connection)?.close()
    this.#forget(connection)
    const { code } = CLOSE_CODES[why]
    const { transport } = connection
    if (!SAID_BEFORE.has(why)) this.#owner.refused({ code, reason: why, transport })
    connection.close(code, text)
  }

  /** Whether a connection is not let in yet, and not closed by the server. */
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

/** What closes a client that sends more than its token before it is let in. */
const TOO_EARLY = 'A message came before the answer to auth'

/** Reasons that the log has already, with what led to them. */
const SAID_BEFORE: ReadonlySet<CloseReason> = new Set(['invalid_token', 'auth_refused', 'auth_failed'])

/**
 * Why a connection without a token is closed: what may be over at the next try is no refusal for
 * good.
 */
function whyWithoutToken(cause: unknown): CloseReason {
  if (cause instanceof RevokedMeanwhile) return 'revoked'
  return RpcError.is(cause) && !isPassing(cause.code) ? 'auth_refused' : 'auth_failed'
}

/** Whether a text is a frame of this wire's clients, good or not. */
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

import {
  decodeError,
  INVALID_TOKEN_CODE,
  PROTOCOL_VERSION,
  RpcError,
  type ServerMessage,
} from '@token-socket/protocol'
import { Link, type LinkListener, type Tap } from './link.js'
import type { Logger, TransportName } from './options.js'
import { limitTime } from './time-limit.js'
import type { Opened } from './transport-list.js'

/** What a try is made of. */
export interface AttemptParts {
  readonly tokens: { request(signal: AbortSignal): Promise<string> }
  readonly transports: {
    open(signal: AbortSignal): Promise<Opened>
    prefer(name: TransportName): void
    demote(name: TransportName): void
  }
  readonly logger: Logger
  /** Sees every frame. */
  readonly tap: Tap
}

/** The auth request's id. The ids of other requests are never the same: they hold a digit. */
const AUTH_ID = 'auth'

/**
 * One try to get ready: a fresh token, a transport that opens, the server's answer to the token. Leaves nothing open
 * when it fails.
 *
 * @param listener hears what the server says besides, from the first message on: it may call before it answers
 * @param signal gives the try up, at any step
 * @throws RpcError why it failed: `token_refused`, `token_failed`, `transport_failed`, `invalid_token`, `timeout`,
 *   `connection_lost`; or the signal's reason
 */
export async function attempt(
  parts: AttemptParts,
  listener: LinkListener,
  signal: AbortSignal,
): Promise<Link> {
  const token = await parts.tokens.request(signal)
  signal.throwIfAborted()
  const { name, connection, timeout } = await parts.transports.open(signal)
  const handshake = new Handshake(listener)
  const link = new Link(connection, handshake, parts)
  try {
    signal.throwIfAborted()
    link.send({ type: 'auth', id: AUTH_ID, token, version: PROTOCOL_VERSION })
    await limitTime(timeout, signal, () => handshake.answer)
    signal.throwIfAborted()
  } catch (error) {
    if (handshake.isSilent && !signal.aborted) parts.transports.demote(name)
    link.close()
    throw error
  }
  parts.transports.prefer(name)
  return link
}

/** Waits for the answer to the token and passes everything else on. */
class Handshake implements LinkListener {
  readonly answer: Promise<void>
  /** Whether nothing has come from the server: maybe something on the way lets connections open, and no more. */
  isSilent = true
  readonly #listener: LinkListener
  #resolve = () => {}
  #reject = (_error: RpcError) => {}

  constructor(listener: LinkListener) {
    this.#listener = listener
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // It may be rejected before anybody waits for it.
    this.answer.catch(() => {})
  }

  receive(message: ServerMessage, link: Link): void {
    this.isSilent = false
    if (message.type !== 'answer' || message.id !== AUTH_ID) {
      this.#listener.receive(message, link)
    } else if ('error' in message.outcome) {
      this.#reject(new RpcError('invalid_token', decodeError(message.outcome).message))
    } else {
      link.session = message.session
      // It may have come in one frame with what the server says next, to a socket that is ready.
      link.hold()
      this.#resolve()
    }
  }

  closed(code: number, reason: string): void {
    // Only the server knows codes from 4000 on.
    this.isSilent &&= code < 4000
    this.#reject(lossOf(code, reason))
  }
}

/** Why a link was lost, as an error; `data` holds the close code and its reason. */
export function lossOf(code: number, reason: string): RpcError {
  const isTokenRefused = code === INVALID_TOKEN_CODE
  return new RpcError(isTokenRefused ? 'invalid_token' : 'connection_lost', undefined, { code, reason })
}

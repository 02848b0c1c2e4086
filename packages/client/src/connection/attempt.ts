import {
  type AnswerMessage,
  CAPABILITIES,
  decodeError,
  INVALID_TOKEN_CODE,
  PROTOCOL_VERSION,
  RpcError,
  throwIfAborted,
  type WireError,
} from '@token-socket/protocol'
import { closedText } from '../runtime/reason-texts.js'
import { limitTime } from '../runtime/time-limit.js'
import type { Logger, TransportName } from '../settings/options.js'
import { MessageConnection, type MessageListener, type Tap } from './message-connection.js'
import type { Opened } from './transport-list.js'

/** Dependencies of a connection attempt. */
export interface AttemptDependencies {
  /** Returns no token if the connection's URL is enough. */
  readonly tokens: { request(signal: AbortSignal): Promise<string | undefined> }
  readonly transports: {
    open(signal: AbortSignal): Promise<Opened>
    prefer(name: TransportName): void
    demote(name: TransportName): void
  }
  readonly logger: Logger
  /** Sees every frame. */
  readonly tap: Tap
}

/** The id of the auth request. Other ids are never the same: they contain a digit. */
const AUTH_ID = 'auth'

/** The legacy server closes with this code instead of answering an unknown token. */
const LEGACY_REFUSAL = 1000

/**
 * Makes one attempt to connect: requests a token, opens a transport, and waits for the server's
 * answer to the token. If it fails, nothing stays open.
 *
 * @param listener receives the server's messages from the first one on, which may be a call before
 *   the answer
 * @param signal cancels the attempt at any step
 * @throws RpcError `token_refused`, `token_failed`, `url_failed`, `bad_option`, `transport_failed`,
 *   `invalid_token`, `timeout`, `connection_lost`; the server's refusal; or the signal's reason
 */
export async function attempt(
  parts: AttemptDependencies,
  listener: MessageListener,
  signal: AbortSignal,
): Promise<MessageConnection> {
  const token = await parts.tokens.request(signal)
  throwIfAborted(signal)
  const { name, connection, timeout, url } = await parts.transports.open(signal)
  let link = undefined as MessageConnection | undefined
  // The server has sent nothing: a proxy may open connections and pass nothing on.
  let isSilent = true
  const shakeHands = () =>
    new Promise<MessageConnection>((resolve, reject) => {
      const receive: MessageListener['receive'] = (message, from) => {
        isSilent = false
        if (message.type !== 'answer' || message.id !== AUTH_ID) return listener.receive(message, from)
        const refused = readAnswer(from, message)
        return refused ? reject(refused) : resolve(from)
      }
      const closed: MessageListener['closed'] = (code, reason) => {
        // Only servers of this protocol use codes from 4000 on.
        isSilent &&= code < 4000
        reject(lossError({ code, reason }, LEGACY_REFUSAL, url))
      }
      link = new MessageConnection(connection, { receive, closed }, parts)
      throwIfAborted(signal)
      link.send({ type: 'auth', id: AUTH_ID, token, version: PROTOCOL_VERSION, can: CAPABILITIES })
    })
  try {
    const late = [timeout, `${name}: no answer to the sign-in in time from ${url}`] as const
    const ready = await limitTime(late, signal, shakeHands)
    throwIfAborted(signal)
    parts.transports.prefer(name)
    return ready
  } catch (error) {
    if (isSilent && !signal.aborted) parts.transports.demote(name)
    link?.close()
    throw error
  }
}

/** Reads the answer to the token. @returns why the server refuses the socket, if it does */
function readAnswer(link: MessageConnection, { outcome, session }: AnswerMessage): RpcError | undefined {
  if ('error' in outcome) return refusalOf(outcome)
  link.session = session
  // Further messages may follow in the same frame, for a socket that is ready.
  link.hold()
  return undefined
}

/**
 * The server's own error. The legacy server sends no code: there the token counts as refused,
 * whatever the reason.
 */
function refusalOf(outcome: WireError): RpcError {
  const error = decodeError(outcome)
  const { message, data } = error
  return outcome.code ? error : new RpcError('invalid_token', message, data, error)
}

/** The code and the reason with which a connection was closed. */
interface Closing {
  readonly code: number
  readonly reason: string
}

/**
 * Makes the error of a lost connection. Its text and its `data` hold the close code and the reason.
 * @param refusal another code that means a refused token
 * @param url the URL, if the server had not accepted the token yet: the text names it
 */
export function lossError({ code, reason }: Closing, refusal = INVALID_TOKEN_CODE, url?: string): RpcError {
  const isTokenRefused = code === INVALID_TOKEN_CODE || code === refusal
  const name = isTokenRefused ? 'invalid_token' : 'connection_lost'
  return new RpcError(name, closedText(code, reason, url), { code, reason })
}

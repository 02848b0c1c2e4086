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

/** What a try is made of. */
export interface AttemptDependencies {
  /** Gives none where the connection's URL says enough. */
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

/** The auth request's id. The ids of other requests are never the same: they hold a digit. */
const AUTH_ID = 'auth'

/** The legacy server closes with it instead of answering a token that it does not know. */
const LEGACY_REFUSAL = 1000

/**
 * One try to get ready: a fresh token, a transport that opens, the server's answer to the token. Leaves nothing open
 * when it fails.
 *
 * @param listener hears what else the server says, from the first message on: it may call before it
 *   answers
 * @param signal gives the try up, at any step
 * @throws RpcError why it failed: `token_refused`, `token_failed`, `url_failed`, `bad_option`,
 *   `transport_failed`, `invalid_token`, `timeout`, `connection_lost`; whatever the server refuses
 *   the sign-in with; or the signal's reason
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
  // Nothing has come from the server: maybe something on the way lets connections open, and nothing else.
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
        // Only the server knows codes from 4000 on.
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

/** What the answer to the token says about a link. @returns why the server lets us not in */
function readAnswer(link: MessageConnection, { outcome, session }: AnswerMessage): RpcError | undefined {
  if ('error' in outcome) return refusalOf(outcome)
  link.session = session
  // It may have come in one frame with what the server says next, to a socket that is ready.
  link.hold()
  return undefined
}

/**
 * Why the server lets us not in: its own error, whole. The legacy server names no code, whatever refused us: there it is the
 * token that counts as refused.
 */
function refusalOf(outcome: WireError): RpcError {
  const error = decodeError(outcome)
  const { message, data } = error
  return outcome.code ? error : new RpcError('invalid_token', message, data, error)
}

/** With which code and reason a connection was closed. */
interface Closing {
  readonly code: number
  readonly reason: string
}

/**
 * Why a link was lost, as an error: its text and its `data` hold the close code and the reason.
 * @param refusal another code that means a refused token
 * @param url where the connection led, if the server had not taken the token yet: the text names it
 */
export function lossError({ code, reason }: Closing, refusal = INVALID_TOKEN_CODE, url?: string): RpcError {
  const isTokenRefused = code === INVALID_TOKEN_CODE || code === refusal
  const name = isTokenRefused ? 'invalid_token' : 'connection_lost'
  return new RpcError(name, closedText(code, reason, url), { code, reason })
}

import { type Connection, RpcError, throwIfAborted } from '@token-socket/protocol'
import { loadSockJS } from '#sockjs'
import { byteLength } from '../../runtime/byte-length.js'
import type { WebSocketLike } from '../../settings/websocket-like.js'
import { SocketConnection } from './socket-connection.js'

/** The part of SockJS's constructor that the client uses. */
export type SockJSConstructor = new (
  url: string,
  reserved: null,
  options: Readonly<Record<string, unknown>>,
) => WebSocketLike & XhrParts & { readonly transport?: string | null }

/**
 * The transports that SockJS tries after a plain WebSocket, by its names. One attempt is enough
 * where a proxy holds streams back. In a page without an origin XHR does not work.
 */
export const HTTP_TRANSPORTS: readonly string[] =
  globalThis.origin === 'null' ? ['eventsource'] : ['xhr-streaming', 'xhr-polling']

/**
 * Opens a SockJS connection, by the first of its transports that works.
 * @param options are passed to SockJS as they are
 * @throws RpcError `transport_failed` if SockJS is missing or none of its transports works; the
 *   signal's reason
 */
export async function openSockJS(
  url: string,
  options: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Connection> {
  const SockJS = (await loadSockJS().catch(missing)) as SockJSConstructor
  throwIfAborted(signal)
  const socket = new SockJS(url, null, options)
  const { close } = socket
  socket.close = (...why) => {
    forgetPoll(socket)
    close.apply(socket, why)
  }
  const framing = {
    transport: () => socket.transport ?? 'sockjs',
    encode: (messages: readonly string[]) => messages,
    decode: (data: unknown) => [data],
  }
  const connection = await SocketConnection.open(socket, framing, signal)
  if (socket._transport?.sendBuffer) boundBodies(socket._transport as Sender)
  return connection
}

/**
 * Bytes of the messages in one request body, as SockJS encodes them, unless a single message is
 * larger. Every server of this library accepts at least 98,320 by `xhr_send`, and three times as
 * many in a form by `jsonp_send`.
 */
const BODY = 65_536

/**
 * `lib/transport/lib/buffered-sender.js` of sockjs-client: sends one body after the other, each
 * with all queued messages.
 */
interface Sender {
  /** The queued messages, each a JSON string. */
  sendBuffer: string[]
  /** Sends the next body. */
  sendSchedule(): void
}

/**
 * Limits the bodies that SockJS sends to the size that a server accepts. The other queued messages
 * go into the next body.
 */
function boundBodies(sender: Sender): void {
  const { sendSchedule } = sender
  sender.sendSchedule = () => {
    let bytes = 0
    const end = sender.sendBuffer.findIndex((text, index) => {
      bytes += byteLength(text) + 1
      return index > 0 && bytes > BODY
    })
    const rest = end < 0 ? [] : sender.sendBuffer.splice(end)
    sendSchedule.call(sender)
    sender.sendBuffer = rest
  }
}

/** The property of sockjs-client 1.6.1 that holds the next request of an XHR transport. */
interface XhrParts {
  readonly _transport?:
    | (Partial<Sender> & {
        readonly poll?: { readonly poll?: { readonly xo?: XhrRequest | null } | null } | null
      })
    | null
}

/** `lib/transport/browser/abstract-xhr.js` of sockjs-client. */
interface XhrRequest {
  readonly xhr?: unknown
  _start(): void
}

/**
 * Cancels a request that SockJS is about to start. It would start it even for a closed socket, and
 * the server would take the socket for open until the request ends.
 */
function forgetPoll(socket: XhrParts): void {
  const request = socket._transport?.poll?.poll?.xo
  if (request && !request.xhr) request._start = () => {}
}

function missing(cause: Error): never {
  throw new RpcError('transport_failed', `SockJS could not be loaded: ${cause.message}`, undefined, cause)
}

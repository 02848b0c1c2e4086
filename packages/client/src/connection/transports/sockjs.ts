import { type Connection, RpcError, throwIfAborted } from '@token-socket/protocol'
import { loadSockJS } from '#sockjs'
import { byteLength } from '../../runtime/byte-length.js'
import type { WebSocketLike } from '../../settings/websocket-like.js'
import { SocketConnection } from './socket-connection.js'

/** The part of SockJS's constructor that is used. */
export type SockJSConstructor = new (
  url: string,
  reserved: null,
  options: Readonly<Record<string, unknown>>,
) => WebSocketLike & XhrParts & { readonly transport?: string | null }

/**
 * What SockJS is to try after a plain WebSocket, by its names: where a proxy holds streams back, one try is enough. In a
 * page without an origin SockJS has no use for XHR.
 */
export const HTTP_TRANSPORTS: readonly string[] =
  globalThis.origin === 'null' ? ['eventsource'] : ['xhr-streaming', 'xhr-polling']

/**
 * Opens a SockJS connection, by whichever of its transports works.
 * @param options go to SockJS as they are
 * @throws RpcError `transport_failed` if SockJS is not there or none of its transports works; the signal's reason
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
 * Bytes of the messages that one body brings, as SockJS writes them, unless one message alone is larger. Every server of this
 * library takes at least 98,320 by `xhr_send`, and by `jsonp_send` what three times as many become in a form.
 */
const BODY = 65_536

/** `lib/transport/lib/buffered-sender.js` of sockjs-client: sends one body after the other, each with all that waits. */
interface Sender {
  /** What waits, each message a JSON string. */
  sendBuffer: string[]
  /** Sends the next body. */
  sendSchedule(): void
}

/** Makes SockJS send no body that is larger than a server takes: the rest of what waits goes with the next. */
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

/** Where sockjs-client 1.6.1 keeps the next request of a transport by XHR. */
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
 * Makes SockJS forget a request that it has made and is to start in a moment: it starts also one that was closed before
 * that, which no one would end, and while it lasts, the server takes the socket for open.
 */
function forgetPoll(socket: XhrParts): void {
  const request = socket._transport?.poll?.poll?.xo
  if (request && !request.xhr) request._start = () => {}
}

function missing(cause: Error): never {
  throw new RpcError('transport_failed', `SockJS could not be loaded: ${cause.message}`, undefined, cause)
}

import { type Connection, RpcError, throwIfAborted } from '@token-socket/protocol'
import { createWebSocket } from '#websocket'
import type { TokenSocketOptions } from '../../settings/options.js'
import type { WebSocketLike } from '../../settings/websocket-like.js'
import { type Framing, SocketConnection } from './socket-connection.js'

/** A text frame holds one message, or several with a line break between them. */
export const LINES: Framing = {
  transport: () => 'websocket',
  encode: (messages) => [messages.join('\n')],
  decode: (data) => (typeof data === 'string' ? data.split('\n').filter((line) => line !== '') : [data]),
}

/**
 * Opens a plain WebSocket.
 * @param url a promise of the application's URL, which no error text contains
 * @param create opens it. @default the platform's own
 * @throws RpcError `transport_failed`, or the signal's reason
 */
export async function openWebSocket(
  url: string | Promise<string>,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  create: NonNullable<TokenSocketOptions['webSocket']> = createWebSocket,
): Promise<Connection> {
  const given = await url
  throwIfAborted(signal)
  let socket: WebSocketLike
  try {
    socket = create(given, headers)
  } catch (cause) {
    // Its text may contain a URL of the application's, with credentials.
    throw given === url ? cause : new RpcError('transport_failed')
  }
  return SocketConnection.open(socket, LINES, signal)
}

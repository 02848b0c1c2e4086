import { type Connection, RpcError } from '@token-socket/protocol'
import { loadSockJS } from '#sockjs'
import { SocketConnection, type SocketLike } from './socket-connection.js'

/** The part of SockJS's constructor that is used. */
export type SockJSConstructor = new (
  url: string,
  reserved: null,
  options: Readonly<Record<string, unknown>>,
) => SocketLike & { readonly transport?: string | null }

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
  signal.throwIfAborted()
  const socket = new SockJS(url, null, options)
  const framing = {
    transport: () => socket.transport ?? 'sockjs',
    encode: (messages: readonly string[]) => messages,
    decode: (data: unknown) => [data],
  }
  return SocketConnection.open(socket, framing, signal)
}

function missing(cause: Error): never {
  throw new RpcError('transport_failed', `SockJS could not be loaded: ${cause.message}`, undefined, cause)
}

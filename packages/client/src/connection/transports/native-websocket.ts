import type { WebSocketLike } from '../../settings/websocket-like.js'

/**
 * Opens the platform's own WebSocket. It sends the cookies of the server's host by itself; `headers` can't be set.
 * @param _headers not used: here so that both platforms are called alike
 */
export function createWebSocket(url: string, _headers: Readonly<Record<string, string>>): WebSocketLike {
  return new WebSocket(url)
}

import type { WebSocketLike } from '../../settings/websocket-like.js'

/**
 * Opens the platform's own WebSocket. It sends the cookies of the server's host; `headers` cannot
 * be set.
 * @param _headers not used, so that both platforms have the same signature
 */
export function createWebSocket(url: string, _headers: Readonly<Record<string, string>>): WebSocketLike {
  return new WebSocket(url)
}

import { WebSocket } from 'ws'
import type { WebSocketLike } from '../../settings/websocket-like.js'

/** A server that takes longer to answer a close, in milliseconds, does not keep the process alive: the link is cut. */
const CLOSE_TIMEOUT = 2000

/** Opens a WebSocket from Node. @param headers go with the upgrade request */
export function createWebSocket(url: string, headers: Readonly<Record<string, string>>): WebSocketLike {
  const options = { headers, closeTimeout: CLOSE_TIMEOUT }
  return new WebSocket(url, options)
}

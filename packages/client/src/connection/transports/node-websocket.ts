import { CLOSE_TIMEOUT } from '@token-socket/protocol'
import { WebSocket } from 'ws'
import type { WebSocketLike } from '../../settings/websocket-like.js'

/** Opens a WebSocket from Node. @param headers are sent with the upgrade request */
export function createWebSocket(url: string, headers: Readonly<Record<string, string>>): WebSocketLike {
  const options = { headers, closeTimeout: CLOSE_TIMEOUT }
  return new WebSocket(url, options)
}

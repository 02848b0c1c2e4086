import { KEPT } from './token-socket-history.js'
import { startOnRedis } from './token-socket-redis.js'

/** The same, on channels that keep what was published. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnRedis({ ...options, channels: KEPT })
}

import { KEPT } from './token-socket-history.js'
import { startOnRedis } from './token-socket-redis.js'

/** Longer than any run: the looks at idle channels are not part of coming back, and would be counted with it. */
const NEVER = 3_600_000

/** This library, on channels that keep what was published. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnRedis({ ...options, channels: KEPT }, { checkInterval: NEVER })
}

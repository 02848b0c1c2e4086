import { startOnStreams } from './socket.io-streams.js'

/** The same, with clients that get what they missed. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnStreams({ ...options, connectionStateRecovery: {} })
}

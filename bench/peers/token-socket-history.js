import { startTokenSocket } from './token-socket.js'

/** Everybody may use every channel, and each keeps what was published. */
export const KEPT = { '*': { subscribe: true, publish: true, history: { size: 1000, ttl: 60_000 } } }

/** This library, on channels that keep what was published. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startTokenSocket({ server, channels: KEPT })
}

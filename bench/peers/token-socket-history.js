import { startTokenSocket } from './token-socket.js'

/** This library, on channels that keep what was published. @param {import('./peer.js').PeerOptions} options */
export function start({ server }) {
  return startTokenSocket({
    server,
    channels: { '*': { subscribe: true, publish: true, history: { size: 1000, ttl: 60_000 } } },
  })
}

import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { failed } from './peer.js'
import { startSocketIO } from './socket.io.js'

/** Socket.IO with its adapter on a stream of Redis. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnStreams(options)
}

/** @param {import('./peer.js').PeerOptions & Partial<import('socket.io').ServerOptions>} options */
export async function startOnStreams({ redisPort, ...options }) {
  const client = createClient({ url: `redis://127.0.0.1:${redisPort}` }).on('error', failed)
  await client.connect()
  // What the bench sends is text: the adapter need not look for binary data in it.
  return startSocketIO({ ...options, adapter: createAdapter(client, { onlyPlaintext: true }) })
}

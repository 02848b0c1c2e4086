import { createAdapter } from '@socket.io/redis-adapter'
import { createClient } from 'redis'
import { failed } from './peer.js'
import { startSocketIO } from './socket.io.js'

/** Socket.IO with its adapter on Redis's pub/sub. @param {import('./peer.js').PeerOptions} options */
export async function start({ server, redisPort }) {
  const publisher = createClient({ url: `redis://127.0.0.1:${redisPort}` }).on('error', failed)
  const subscriber = publisher.duplicate().on('error', failed)
  await Promise.all([publisher.connect(), subscriber.connect()])
  // Answers go to the node that asked, instead of to all.
  const adapter = createAdapter(publisher, subscriber, { publishOnSpecificResponseChannel: true })
  return startSocketIO({ server, adapter })
}

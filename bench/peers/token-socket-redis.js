import { redisEngine } from '@token-socket/redis'
import { logger, startTokenSocket } from './token-socket.js'

/** This library as one of many nodes, on its Redis engine. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnRedis(options)
}

/** @param {import('./peer.js').PeerOptions & Partial<import('@token-socket/server').TokenSocketServerOptions>} options */
export async function startOnRedis({ redisPort, ...options }) {
  const engine = redisEngine({ url: `redis://127.0.0.1:${redisPort}`, logger })
  await engine.ready()
  return startTokenSocket({ ...options, engine })
}

import { redisEngine } from '@token-socket/redis'
import { logger, startTokenSocket } from './token-socket.js'

/** This library as one of many nodes, on its Redis engine. @param {import('./peer.js').PeerOptions} options */
export function start(options) {
  return startOnRedis(options)
}

/**
 * @param {import('./peer.js').PeerOptions & Partial<import('@token-socket/server').TokenSocketServerOptions>} options
 * @param {import('@token-socket/redis').RedisEngineOptions} [settings] of the engine
 */
export async function startOnRedis({ redisPort, ...options }, settings) {
  const engine = redisEngine({ url: `redis://127.0.0.1:${redisPort}`, logger, ...settings })
  await engine.ready()
  return startTokenSocket({ ...options, engine })
}

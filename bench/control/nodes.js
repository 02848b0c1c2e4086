import { startLoader, startServer } from './pair.js'
import { startRedis } from './redis.js'
import { RedisMeter } from './redis-meter.js'

/**
 * Starts two nodes with a Redis and a loader, and ends them when the measurement is done. The nodes share a core.
 * @template T
 * @param {{ peer: string, profile: string | undefined }} what
 * @param {(all: { nodes: import('./child.js').Child[], ports: number[], loader: import('./child.js').Child, meter: RedisMeter }) => Promise<T>} run
 * @returns {Promise<T>}
 */
export async function withNodes({ peer, profile }, run) {
  const redis = await startRedis()
  if (!redis) throw new Error('there is no redis-server')
  const meter = await RedisMeter.open(redis.port)
  const nodes = [startServer(peer, profile), startServer(peer, profile)]
  const loader = startLoader(peer)
  try {
    const ports = await Promise.all(
      nodes.map((node) => node.ask('listen', { name: peer, redisPort: redis.port })),
    )
    return await run({ nodes, ports, loader, meter })
  } finally {
    await Promise.all([...nodes, loader].map((child) => child.stop()))
    meter.close()
    await redis.stop()
  }
}

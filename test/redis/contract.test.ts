import { type EngineLimits, engineContract } from '@token-socket/engine-tests'
import { RedisEngine } from '@token-socket/redis'
import { type Admin, RedisProcess } from './redis-process.js'

describe('RedisEngine', () => {
  let redis: RedisProcess
  let admin: Admin

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  const createNodes = async (count: number, limits: EngineLimits = {}) => {
    await admin.flushAll()
    const nodes = Array.from({ length: count }, () => new RedisEngine({ url: redis.url, ...limits }))
    await Promise.all(nodes.map((node) => node.ready()))
    return nodes
  }

  engineContract('redis', createNodes, {
    // Real time: it is that of Redis.
    clock: () => ({ pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)), restore: () => {} }),
    // It says no farewell, as other nodes may take its sockets over.
    kill: (engine) => void engine.close(),
  })
})

import { redisEngine } from '@token-socket/redis'
import { describePermissions, PRUNED } from '../end-to-end/permissions.js'
import { RedisProcess } from './redis-process.js'

describe('permissions', () => {
  let redis: RedisProcess
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  describePermissions(
    'redis',
    async () => {
      const engine = redisEngine({ url: redis.url, prefix: `p${++made}:` })
      await engine.ready()
      return engine
    },
    PRUNED,
  )
})

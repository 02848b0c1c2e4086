import { RedisEngine } from '@token-socket/redis'
import { describeEventHistories } from '../end-to-end/event-histories.js'
import { useSites } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

describe('the events of sockets, in random histories on Redis', function () {
  this.timeout(120_000)
  const start = useSites()
  let redis: RedisProcess
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  describeEventHistories(
    async (options) => {
      const engine = new RedisEngine({ url: redis.url, prefix: `${++made}:` })
      await engine.ready()
      return start({ engine, ...options })
    },
    { count: 8 },
  )
})

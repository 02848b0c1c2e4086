import { RedisEngine } from '@token-socket/redis'
import { describeOrders } from '../end-to-end/authorization-orders.js'
import { Site } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

describe('the orders of a cluster, on two nodes', function () {
  this.timeout(20_000)
  let redis: RedisProcess
  const sites: Site[] = []
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))

  describeOrders(async (options) => {
    const prefix = `${++made}:`
    const start = async () => {
      const engine = new RedisEngine({ url: redis.url, prefix })
      await engine.ready()
      const site = await Site.start({ engine, ...options })
      sites.push(site)
      return site
    }
    return [await start(), await start()]
  })
})

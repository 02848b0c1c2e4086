import { RedisEngine } from '@token-socket/redis'
import { describeCuttingOff } from '../end-to-end/cutting-off.js'
import { Site } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

describe('cutting a user off, on two nodes', function () {
  this.timeout(20_000)
  let redis: RedisProcess
  const sites: Site[] = []
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))

  describeCuttingOff(async (options) => {
    // Who was cut off stays so.
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

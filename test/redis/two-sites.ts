import { RedisEngine } from '@token-socket/redis'
import { type Site, type SiteOptions, useSites } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

/**
 * A Redis for the tests of this `describe`, and two sites on it for each that asks: on keys of
 * their own, since Redis keeps who was cut off.
 * @param given options of all sites
 */
export function useTwoSites(
  given: SiteOptions = {},
): (options?: SiteOptions) => Promise<readonly [Site, Site]> {
  const start = useSites()
  let redis: RedisProcess
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  return async (options = {}) => {
    const prefix = `${++made}:`
    const one = async () => {
      const engine = new RedisEngine({ url: redis.url, prefix })
      await engine.ready()
      return start({ engine, ...given, ...options })
    }
    return [await one(), await one()]
  }
}

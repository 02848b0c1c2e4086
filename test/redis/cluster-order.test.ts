/** What one node's application may count on after another one's, on one Redis. */
import { redisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import { Site, until } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

describe('what nodes do one after the other', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  const sites: Site[] = []

  before(async () => {
    redis = await RedisProcess.start()
  })

  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))

  after(() => redis.stop())

  /** A node that has just been made: its engine may not be connected. */
  async function start(): Promise<Site> {
    const authentication = () => ({ uid: 'ann' })
    const secret = 'of the tests, 32 bytes long or more'
    const site = await Site.start({ engine: redisEngine({ url: redis.url }), authentication, secret })
    sites.push(site)
    return site
  }

  const isWell = (site: Site) => site.sockets.health().status === 'ok'

  it('an unsubscribe wins over a subscribe of another node whose promise has resolved', async () => {
    const [one, two, three] = [await start(), await start(), await start()]
    await until(() => [one, two, three].every(isWell))
    const clients = await Promise.all([one, two, three].map((site) => site.ready()))
    for (let round = 0; round < 20; round += 1) {
      const { count } = await one.sockets.cluster.subscribe({ uid: 'ann' }, 'room')
      expect(count).to.equal(3)
      expect(await two.sockets.cluster.unsubscribe({ uid: 'ann' }, 'room')).to.include({ count: 3 })
      for (const { sockets } of [one, two, three]) expect(sockets.channels()).to.deep.equal([])
    }
    await Promise.all(clients.map((client) => until(() => client.channels().length === 0)))
  })

  it('an event reaches a node that has just been made, as soon as its health is ok', async () => {
    const one = await start()
    await until(() => isWell(one))
    for (let round = 1; round <= 10; round += 1) {
      const fresh = await start()
      const heard: unknown[] = []
      fresh.sockets.cluster.on('prices', (data, { node }) => void heard.push([data, node]))
      await until(() => isWell(fresh))
      const { count } = await one.sockets.cluster.emit('prices', round)
      expect(count).to.equal(round)
      await until(() => heard.length > 0)
      expect(heard).to.deep.equal([[round, one.sockets.cluster.node]])
    }
  })
})

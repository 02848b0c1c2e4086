import { MemoryEngine } from '@token-socket/server'
import { describeOrders } from './authorization-orders.js'
import { Site } from './fixture.js'

describe('the orders of a cluster, on one node', () => {
  const sites: Site[] = []

  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))

  describeOrders(async (options) => {
    const site = await Site.start({ engine: new MemoryEngine(), ...options })
    sites.push(site)
    return [site, site]
  })
})

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { createNode } from '../../examples/cluster/node.js'
import { RedisProcess } from '../redis/redis-process.js'
import { openBrowser } from './chromium.js'

describe('the states of the cluster’s nodes', function () {
  this.timeout(120_000)

  const states = (...names: readonly string[]) =>
    names.map((state, index) => ({ name: `node ${index + 1}`, state, since: Date.now() }))

  it('are the newest for a page that is opened later, in whatever order nodes publish them', async () => {
    const redis = await RedisProcess.start()
    const node = createNode({ name: 'node 1', redis: redis.url, secret: 'a secret of the test, 32 letters' })
    node.server.listen(0, '127.0.0.1')
    await once(node.server, 'listening')
    const chromium = await openBrowser()
    try {
      await node.publishStates({ version: 3, states: states('up', 'up') })
      await node.publishStates({ version: 1, states: states('starting', 'starting') })
      await node.publishStates({ version: 2, states: states('starting', 'up') })
      const page = await chromium.browser.newPage()
      await page.goto(`http://127.0.0.1:${(node.server.address() as AddressInfo).port}/`)
      await page.locator('.node').first().waitFor()
      const cards = await page.locator('.node').all()
      const shown = await Promise.all(cards.map((card) => card.getAttribute('data-state')))
      expect(shown).to.deep.equal(['up', 'up'])
    } finally {
      await chromium.close()
      await node.end()
      await redis.stop()
    }
  })
})

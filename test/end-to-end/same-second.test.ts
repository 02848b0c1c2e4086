/** A page that opens in the second of a revocation, with a token that the application has just signed. */
import { MemoryEngine } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { type Site, useSites } from './fixture.js'

const KEY = 'the key of the application, 32 bytes or more'

describe('a token that is signed in the second of a revocation', function () {
  this.timeout(10_000)
  const start = useSites()

  const orders = {
    revoke: (site: Site) => site.sockets.cluster.revoke({ uid: 'ann' }),
    'disconnect, for good': (site: Site) =>
      site.sockets.cluster.disconnect({ uid: 'ann' }, { reconnect: false }),
  }
  for (const [title, order] of Object.entries(orders))
    it(`by ${title}, is refused when that second is over, so that the client’s next one is good`, async () => {
      const engine = new MemoryEngine()
      const site = await start({ engine, keys: { app: { algorithm: 'HS256', key: KEY } } })
      const sign = () => jwt.sign({ scope: 'connect', uid: 'ann' }, KEY, { keyid: 'app', expiresIn: 600 })
      // Early in a second: both attempts would be in it.
      await new Promise((resolve) => setTimeout(resolve, 1000 - (Date.now() % 1000)))
      await order(site)
      let tokens = 0
      const token = () => {
        tokens += 1
        return sign()
      }
      const client = site.client({ token, logLevel: 'none' })
      await client.ready()
      expect(tokens, 'without it, one more than a client tries').to.be.at.most(2)
    })
})

import { once } from 'node:events'
import { expect } from 'chai'
import { useSites } from './fixture.js'

describe('an HTTP server that is closed first', () => {
  const start = useSites()

  it('is closed when the sockets are shut down', async () => {
    const site = await start({ engine: undefined })
    const { client } = await site.pair()
    let isClosed = false
    const closed = once(site.http, 'close').then(() => {
      isClosed = true
    })
    site.http.close()
    expect([await client.rpc('echo', 1), isClosed]).to.deep.equal([1, false])
    await site.sockets.shutdown()
    await closed
  })
})

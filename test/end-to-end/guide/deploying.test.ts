/** The server of docs/guide/deploying.md: two nodes of it share a Redis, and one is deployed anew. */
import { once } from 'node:events'
import { TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import { freePort } from '../../ports.js'
import { RedisProcess } from '../../redis/redis-process.js'
import { GuidePage } from './guide-page.js'

describe('the guide: deploying', () => {
  let redis: RedisProcess
  let page: GuidePage

  before(async () => {
    redis = await RedisProcess.start()
    page = await GuidePage.write('deploying')
  })

  after(async () => {
    await page?.remove()
    await redis?.stop()
  })

  async function start() {
    const port = String(await freePort())
    const env = { PORT: port, REDIS_URL: redis.url, SOCKET_SECRET: 'of the tests, 32 bytes long or more' }
    const program = await page.serve('server.mjs', env)
    const host = `http://localhost:${port}`
    const client = new TokenSocket({ host, authentication: { name: `user-${port}` } })
    await client.ready()
    return { program, host, client }
  }

  it('nodes share channels; SIGTERM sends clients away, and the process ends', async () => {
    const [old, other] = [await start(), await start()]
    const heard = new Promise((resolve) => other.client.channel('chat-1').bind('say', resolve))
    await other.client.subscribe('chat-1')
    await old.client.channel('chat-1').send('say', 'hello')
    expect(await heard).to.include({ data: 'hello' })
    expect((await fetch(`${old.host}/sockets/health`)).status).to.equal(200)

    const lost = once(old.client as never, 'disconnect')
    old.program.signal('SIGTERM')
    const [error] = await lost
    expect(error.data.code).to.equal(4000)
    await old.client.end()
    expect((await old.program.ended()).code).to.equal(0)
    expect(await other.client.history('chat-1')).to.have.length(1)
    await other.client.end()
  })
})

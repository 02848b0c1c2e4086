/** Raw WebSockets on two nodes: each by its id, from the other node. */
import { RedisEngine } from '@token-socket/redis'
import { InvalidConnectionError } from '@token-socket/server'
import { expect } from 'chai'
import { BareClient } from '../end-to-end/bare-client.js'
import { Site, until } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { RedisProcess } from './redis-process.js'

describe('a raw WebSocket, from another node', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let [here, there]: Site[] = []
  let client: BareClient
  let sid: string

  before(async () => {
    redis = await RedisProcess.start()
    const start = async () => {
      const engine = new RedisEngine({ url: redis.url })
      await engine.ready()
      return Site.start({
        engine,
        secret: 'of the tests, 32 bytes long or more',
        transports: ['websocket', 'raw'],
        connectAuthentication: () => ({ uid: 'ann' }),
      })
    }
    here = await start()
    there = await start()
  })

  after(async () => {
    await here?.stop()
    await there?.stop()
    await redis.stop()
  })

  beforeEach(async () => {
    client = await BareClient.open(there as Site)
    const { sockets } = there as Site
    await until(() => sockets.sockets().length === 1)
    sid = sockets.sockets()[0]?.sid as string
  })

  afterEach(async () => {
    client.close()
    await client.closed
    await until(() => there?.sockets.sockets().length === 0)
  })

  it('is sent messages, each as a frame of its own', async () => {
    const { sockets } = here as Site
    expect(await sockets.send(sid, 'Welcome')).to.equal(true)
    expect(await sockets.send(sid, { a: 1 }, { ack: 'node' })).to.equal(true)
    expect([await client.next(), await client.next()]).to.deep.equal(['Welcome', '{"a":1}'])
  })

  it('confirms nothing, and has neither functions nor channels', async () => {
    const { sockets } = here as Site
    expect((await rejection(sockets.send(sid, 'x', { ack: 'client' }))).code).to.equal('unsupported')
    expect((await rejection(sockets.cluster.rpc(sid, 'a'))).code).to.equal('unsupported')
    const { count, failed } = await sockets.cluster.subscribe({ uid: 'ann' }, 'a')
    expect([count, failed]).to.deep.equal([0, 1])
  })

  it('is connected, until it is closed', async () => {
    const { sockets } = here as Site
    expect(await sockets.isConnected(sid)).to.equal(true)
    await sockets.close(sid)
    expect((await client.closed)[0]).to.equal(4001)
    expect(await sockets.isConnected(sid)).to.equal(false)
    expect(await rejection(sockets.send(sid, 'x'))).to.be.instanceOf(InvalidConnectionError)
  })

  it('is closed by its user', async () => {
    await here?.sockets.cluster.disconnect({ uid: 'ann' })
    expect((await client.closed)[0]).to.equal(4001)
  })
})

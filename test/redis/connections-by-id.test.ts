/** Connections by id, on two nodes: the connection is on one, and what is done by id is done by the other. */
import { RedisEngine } from '@token-socket/redis'
import { InvalidConnectionError } from '@token-socket/server'
import { expect } from 'chai'
import { rows } from '../end-to-end/connection-rows.js'
import { rejection, Site, until } from '../end-to-end/fixture.js'
import { RedisProcess } from './redis-process.js'

/** Milliseconds that Redis has for an answer: 10,000 messages at once take long on a busy machine. */
const COMMAND_TIMEOUT = 60_000

describe('connections by id, on two nodes', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let here: Site
  let there: Site
  const sites: Site[] = []
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  const startNode = async () => {
    const engine = new RedisEngine({ url: redis.url, prefix: `${made}:`, commandTimeout: COMMAND_TIMEOUT })
    await engine.ready()
    const secret = 'of the tests, 32 bytes long or more'
    const names = { connectionQuery: ['name'], connectionHeaders: ['host'] }
    const site = await Site.start({ engine, secret, ...names })
    sites.push(site)
    return site
  }

  beforeEach(async () => {
    made += 1
    here = await startNode()
    there = await startNode()
  })

  afterEach(() => Promise.all(sites.splice(0).map((site) => site.stop())))

  for (const [title, run] of Object.entries(rows)) {
    it(title, () => run({ site: here, ws: there.sockets }))
  }

  it('take 10,000 messages at once, to ids that there are and ids that there are not', async () => {
    const { client, socket } = await here.pair()
    const got: unknown[] = []
    client.on('direct', (data) => got.push(data))
    const ids = Array.from({ length: 10_000 }, (_, index) =>
      index % 100 === 0 ? socket.sid : `${index}.${here.sockets.cluster.node}`,
    )
    const sends = ids.map((id, index) => there.sockets.send(id, index, { throwIfNotConnected: false }))
    const results = await Promise.all(sends)
    expect(results.filter(Boolean)).to.have.length(100)
    await until(() => got.length === 100)
    expect(got).to.deep.equal(Array.from({ length: 100 }, (_, index) => index * 100))
  })

  for (const ack of ['node', 'written', 'client'] as const) {
    it(`resolves when it is ${ack}`, async () => {
      const { client, socket } = await here.pair()
      const got: unknown[] = []
      client.on('direct', (data) => got.push(data))
      expect(await there.sockets.send(socket.sid, 1, { ack })).to.equal(true)
      if (ack !== 'client') await until(() => got.length)
      expect(got).to.deep.equal([1])
    })
  }

  it('is `connection_lost` when the connection ends before its client has answered', async () => {
    const peer = await here.peer()
    const request = { rpc: 'auth', version: 1, can: ['direct'], uuid: 'auth' }
    await peer.ask({ ...request, token: await here.token() })
    const [socket] = here.sockets.sockets()
    const sent = there.sockets.send(String(socket?.sid), 1, { ack: 'client' })
    await peer.find(({ command }) => command === 'direct')
    peer.destroy()
    expect((await rejection(sent)).code).to.equal('connection_lost')
  })

  it('is `not_connected` on a node that has ended, and closes nothing there', async () => {
    const { socket } = await here.pair({ logLevel: 'none' })
    await here.sockets.shutdown()
    await until(async () => (await there.sockets.cluster.nodes()).length === 1)
    expect(await rejection(there.sockets.send(socket.sid, 1))).to.be.instanceOf(InvalidConnectionError)
    expect(await there.sockets.isConnected(socket.sid)).to.equal(false)
    expect(await there.sockets.close([socket.sid])).to.deep.equal({ count: 0, missing: [] })
  })

  it('refuses data that is no JSON before another node is asked', async () => {
    const { socket } = await here.pair()
    const circular: { self?: unknown } = {}
    circular.self = circular
    for (const data of [circular, 1n, () => {}, { big: 1n }]) {
      const error = await rejection(there.sockets.send(socket.sid, data))
      expect(error.code).to.equal('unserializable')
    }
  })
})

/** Data that JSON cannot carry is refused on every path, to a socket of this node and of another alike. */
import { RedisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import sinon from 'sinon'
import { Site } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { RedisProcess } from './redis-process.js'

const circular: { self?: unknown } = {}
circular.self = circular

const VALUES: Readonly<Record<string, unknown>> = {
  'a function': () => 1,
  'an async function': async () => 1,
  'a symbol': Symbol('a'),
  'a BigInt': 1n,
  'an object that holds itself': circular,
  'an object whose toJSON throws': {
    toJSON: () => {
      throw new Error('no')
    },
  },
}

/** What a path sends by, and to. */
interface Ends {
  readonly here: Site
  /** The id of a socket of this node, and of one of another node. */
  readonly own: Pair
  readonly other: Pair
}

type Pair = Awaited<ReturnType<Site['pair']>>

const PATHS: Readonly<Record<string, (ends: Ends, data: unknown) => Promise<unknown>>> = {
  'socket.rpc': ({ own }, data) => own.socket.rpc('take', data),
  'socket.notify': ({ own }, data) => own.socket.notify('take', data),
  'socket.publish': ({ own }, data) => own.socket.publish('news', data),
  'server.rpc': ({ here, own }, data) => here.sockets.rpc(own.socket, 'take', data),
  'server.publish': ({ here }, data) => here.sockets.publish('news', data),
  'server.broadcast': ({ here }, data) => here.sockets.broadcast(data),
  'cluster.rpc, this node': ({ here, own }, data) => here.sockets.cluster.rpc(own.socket.sid, 'take', data),
  'cluster.rpc, another node': ({ here, other }, data) =>
    here.sockets.cluster.rpc({ sid: other.socket.sid }, 'take', data),
  'cluster.notify, this node': ({ here, own }, data) =>
    here.sockets.cluster.notify({ sid: own.socket.sid }, 'take', data),
  'cluster.notify, another node': ({ here, other }, data) =>
    here.sockets.cluster.notify(other.socket.sid, 'take', data),
  'cluster.emit': ({ here }, data) => here.sockets.cluster.emit('taken', data),
  // A function alone would be the callback.
  'client.rpc': ({ own }, data) => own.client.rpc('take', data, { timeout: 5000 }),
  'client.notify': ({ own }, data) => own.client.notify('take', data),
  'client.publish': ({ own }, data) => own.client.publish('news', data),
  'client.broadcast': ({ own }, data) => own.client.broadcast(data),
}

describe('data that JSON cannot carry', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let sites: readonly Site[]
  let ends: Ends
  const taken: unknown[] = []
  let warn: sinon.SinonStub

  before(async () => {
    // Development builds warn of some.
    warn = sinon.stub(console, 'warn')
    redis = await RedisProcess.start()
    const take = (data: unknown) => void taken.push(data)
    const socketController = { take: (_auth: unknown, data: unknown) => take(data) }
    const start = async () => {
      const engine = new RedisEngine({ url: redis.url })
      await engine.ready()
      return Site.start({ engine, secret: 'of the tests, 32 bytes long or more', socketController })
    }
    const [here, there] = [await start(), await start()]
    sites = [here, there]
    there.sockets.cluster.on('taken', take)
    ends = { here, own: await here.pair({}, { take }), other: await there.pair({}, { take }) }
    for (const { client } of [ends.own, ends.other]) {
      await client.subscribe('news')
      client.on('message', (_channel, data) => take(data))
    }
  })

  after(async () => {
    warn.restore()
    await Promise.all(sites.map((site) => site.stop()))
    await redis.stop()
  })

  for (const [path, send] of Object.entries(PATHS))
    for (const [title, value] of Object.entries(VALUES))
      it(`is refused by ${path}: ${title}`, async () => {
        expect(await rejection(send(ends, value))).to.have.property('code', 'unserializable')
      })

  it('reaches no one, and what follows it does', async () => {
    for (const send of Object.values(PATHS)) await send(ends, 'right').catch(() => {})
    await ends.here.sockets.cluster.rpc(ends.other.socket.sid, 'take', 'last')
    expect(new Set(taken)).to.deep.equal(new Set(['right', 'last']))
  })
})

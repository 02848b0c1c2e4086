/** Orders of a cluster while nodes and Redis lose sight of each other. */
import { RedisEngine } from '@token-socket/redis'
import { CLOSE_CODES } from '@token-socket/server'
import { expect } from 'chai'
import jwt from 'jsonwebtoken'
import { Site, type SiteOptions, until } from '../end-to-end/fixture.js'
import type { Peer } from '../end-to-end/peer.js'
import { rejection } from '../protocol/rejection.js'
import { RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

const SECRET = 'of the tests, 32 bytes long or more'

const { expired, invalid_token, revoked } = CLOSE_CODES

/** How a token ends that is revoked when it is looked at, or just after that. */
const REFUSED = [invalid_token.code, revoked.code]

/** A site behind a proxy to Redis. */
interface Node {
  readonly site: Site
  readonly proxy: RedisProxy
  readonly engine: RedisEngine
}

describe('the orders of a cluster, when nodes lose sight of Redis', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  const nodes: Node[] = []

  beforeEach(async () => {
    redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always')
  })

  afterEach(async () => {
    for (const { proxy } of nodes) proxy.isMute = proxy.isShut = false
    await Promise.all(nodes.map(({ site }) => site.stop()))
    await Promise.all(nodes.splice(0).map(({ proxy }) => proxy.close()))
    await redis.stop()
  })

  async function start(options: SiteOptions = {}): Promise<Node> {
    const proxy = await RedisProxy.open(redis.port)
    const quiet = { debug() {}, info() {}, warn() {}, error() {} }
    const engine = new RedisEngine({ url: proxy.url, logger: quiet })
    await engine.ready()
    const history = { size: 100, ttl: 60_000 }
    const site = await Site.start({
      engine,
      secret: SECRET,
      authentication: async () => ({ uid: 'bob' }),
      channels: { '*': { subscribe: true, publish: true, history } },
      ...options,
    })
    const node = { site, proxy, engine }
    nodes.push(node)
    return node
  }

  /** Issued well before any order: nodes take their time to notice what Redis has lost. */
  const sign = (claims: object) =>
    jwt.sign({ scope: 'connect', iat: seconds(-60), exp: seconds(60), ...claims }, SECRET)
  const seconds = (offset: number) => Math.floor(Date.now() / 1000) + offset

  async function enter({ site }: Node, token = sign({ uid: 'bob' })): Promise<Peer> {
    const peer = await site.peer()
    peer.send({ rpc: 'auth', token, uuid: 'auth', version: 1 })
    return peer
  }

  async function member(node: Node, token?: string): Promise<Peer> {
    const peer = await enter(node, token)
    await peer.find(({ resp }) => resp === 'success')
    await peer.ask({ rpc: '_subscribe', req: { channel: 'a' } })
    return peer
  }

  const shut = async ({ proxy, engine }: Node) => {
    proxy.isShut = true
    proxy.cut()
    await until(() => !engine.health.now.ok)
  }

  const messages = (peer: Peer) =>
    peer.frames.flatMap(({ message }) => (message === undefined ? [] : [message]))

  it('deal with this node’s sockets at once, and with the others when Redis is back', async () => {
    const [one, two] = [await start(), await start()]
    const [own, other] = [await member(one), await member(two)]
    await redis.kill()
    await until(() => nodes.every(({ engine }) => !engine.health.now.ok))
    const error = await rejection(one.site.sockets.cluster.revoke({ uid: 'bob' }))
    expect(error).to.include({ code: 'engine_unavailable' })
    expect(error.message).to.match(/sockets of this node are dealt with/)
    expect((await own.closed).code).to.equal(revoked.code)
    expect(other.ending).to.equal(undefined)
    await redis.restart()
    expect((await other.closed).code).to.equal(revoked.code)
    for (const node of [one, two])
      expect((await (await enter(node)).closed).code).to.equal(invalid_token.code)
  })

  it('are done by a node that was cut off before it delivers what it missed', async () => {
    const [one, two] = [await start(), await start()]
    const [bob, ann] = [await member(two), await member(two, sign({ uid: 'ann' }))]
    const eve = await member(two, sign({ uid: 'eve' }))
    await one.site.sockets.publish('a', 'before')
    // What a node has not heard before it is cut off, it misses.
    await until(() => [bob, ann, eve].every((peer) => messages(peer).includes('before')))
    await shut(two)
    const { cluster } = one.site.sockets
    await Promise.all([
      cluster.revoke({ uid: 'bob' }),
      cluster.reauthorize({ uid: 'eve' }, { uid: 'eve', channels: { a: { subscribe: false } } }),
    ])
    await one.site.sockets.publish('a', 'missed')
    two.proxy.isShut = false
    expect((await bob.closed).code).to.equal(revoked.code)
    await until(() => messages(ann).includes('missed'))
    expect(messages(ann)).to.deep.equal(['before', 'missed'])
    expect(messages(bob)).to.deep.equal(['before'])
    expect(messages(eve)).to.deep.equal(['before'])
    await eve.ask({ rpc: '_ping' })
    expect(messages(eve)).to.deep.equal(['before'])
  })

  it('name the node that does not answer', async () => {
    const [one, two] = [await start(), await start()]
    await member(two)
    two.proxy.isMute = true
    const { missing } = await one.site.sockets.cluster.revoke({ uid: 'bob' })
    expect(missing).to.deep.equal([two.site.sockets.cluster.node])
  })

  it('are known to a node that starts later', async () => {
    const one = await start()
    await one.site.sockets.cluster.revoke({ uid: 'bob' })
    await one.site.sockets.cluster.revoke({ jti: 'a' })
    const two = await start()
    expect((await (await enter(two)).closed).code).to.equal(invalid_token.code)
    expect((await (await enter(two, sign({ uid: 'ann', jti: 'a' }))).closed).code).to.equal(
      invalid_token.code,
    )
    await member(two, sign({ uid: 'ann', jti: 'b' }))
  })

  it('are kept again when Redis has lost everything', async () => {
    const [one] = [await start(), await start()]
    for (const uid of ['bob', 'ann']) await one.site.sockets.cluster.revoke({ uid })
    const later = await member(one, sign({ uid: 'bob', iat: seconds(1) }))
    const admin = await redis.admin()
    await admin.flushAll()
    const kept = async () => {
      const [log] = (await admin.keys('*')).filter((key) => /authorization.*publications:log$/.test(key))
      return log === undefined ? 0 : admin.xLen(log)
    }
    while ((await kept()) < 2);
    const three = await start()
    for (const uid of ['bob', 'ann'])
      expect((await (await enter(three, sign({ uid }))).closed).code, uid).to.be.oneOf(REFUSED)
    // It signed in after the revocation.
    expect(await later.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
    await one.site.sockets.cluster.revoke({ uid: 'eve' })
    expect((await (await enter(three, sign({ uid: 'eve' }))).closed).code).to.equal(invalid_token.code)
  })

  it('close all sockets of a node that was away for longer than they are kept', async () => {
    const [one, two] = [await start({ revocationTtl: 100 }), await start({ revocationTtl: 100 })]
    const peer = await member(two, sign({ uid: 'ann' }))
    await shut(two)
    const { cluster } = one.site.sockets
    await cluster.revoke({ uid: 'bob' })
    const asked = Date.now()
    await until(() => Date.now() - asked > 150)
    two.proxy.isShut = false
    expect((await peer.closed).code).to.equal(expired.code)
  })

  for (const closeWhenStale of [false, true])
    it(`say that a node is stale, and close its sockets if \`closeWhenStale\` is ${closeWhenStale}`, async () => {
      const node = await start({ closeWhenStale, revocationStaleness: 700 })
      const peer = await member(node)
      await until(() => node.site.sockets.health().status === 'ok')
      node.proxy.isMute = true
      const lines = () => node.site.log.filter(({ message }) => message === 'the engine is degraded')
      await until(() => lines().some(({ details }) => /revocations/.test(String(details.reason))))
      expect(node.site.sockets.health().status).to.equal('degraded')
      if (closeWhenStale) expect((await peer.closed).code).to.equal(expired.code)
      else expect(await peer.ask({ rpc: 'echo', req: 1 })).to.include({ resp: 1 })
      node.proxy.isMute = false
      await until(() => node.site.sockets.health().status === 'ok')
    })
})

/** Connections to Redis that break, are slow, or belong to a client that is given. */
import { expect } from 'chai'
import { createClient } from 'redis'
import { rejection } from '../protocol/rejection.js'
import { type Logged, numbers, RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('RedisEngine’s connections', () => {
  let redis: RedisProcess
  let admin: Admin
  let proxy: RedisProxy
  const nodes: RedisNode[] = []

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  beforeEach(async () => {
    await admin.flushAll()
    proxy = await RedisProxy.open(redis.port)
  })

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
    await proxy.close()
  })

  async function start(options: object = { url: redis.url }): Promise<RedisNode> {
    const node = await RedisNode.start(options)
    nodes.push(node)
    return node
  }

  it('come back when all are killed under load; what was acknowledged is heard once and in order', async () => {
    const all = await Promise.all([1, 2, 3].map(() => start()))
    for (const { engine } of all) await engine.broker.subscribe('a')
    const acknowledged: string[] = []
    let isOver = false
    const publish = async (node: RedisNode, name: string) => {
      for (let number = 0; !isOver; number += 1) {
        const json = `"${name} ${number}"`
        await node.keep('a', json).then(
          () => acknowledged.push(json),
          () => pause(1),
        )
      }
    }
    const publishing = all.flatMap((node, index) =>
      ['x', 'y'].map((name) => publish(node, `${index}${name}`)),
    )
    for (let round = 0; round < 8; round += 1) {
      const before = acknowledged.length
      for (const type of round % 2 ? ['normal'] : ['pubsub', 'normal'])
        await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes'])
      while (acknowledged.length < before + 50) await pause(1)
    }
    isOver = true
    await Promise.all(publishing)
    for (let isSent = false; !isSent; await pause(5)) {
      isSent = await (all[0] as RedisNode).keep('a', '"end"').then(
        () => true,
        () => false,
      )
    }
    for (const node of all) {
      await node.until(() => node.texts.includes('"end"'))
      expect(node.publications.map(({ offset }) => offset)).to.deep.equal(
        node.publications.map((_, at) => at + 1),
      )
      expect(new Set(node.texts)).to.have.property('size', node.texts.length)
      expect(node.texts).to.include.members(acknowledged)
      expect(node.publications).to.deep.equal(all[0]?.publications)
    }
  })

  it('leave out what is given up while they are made', async () => {
    const node = await start({ url: proxy.url })
    await node.engine.broker.subscribe('a')
    const listeners = async () => (await admin.pubSubNumSub('token-socket:{a}'))['token-socket:{a}']
    proxy.delay = 100
    proxy.isShut = true
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    while ((await listeners()) !== 0);
    proxy.isShut = false
    // Redis has been told, and the node does not know it yet.
    while ((await listeners()) !== 1);
    await node.engine.broker.unsubscribe('a')
    expect(await listeners()).to.equal(0)
  })

  it('may be slow', async () => {
    proxy.delay = 250
    const slow = await start({ url: proxy.url })
    const other = await start()
    await slow.engine.broker.subscribe('a')
    await Promise.all([slow.keepAll('a', 1, 50), other.keepAll('a', 51, 100)])
    await slow.until(() => slow.publications.length === 100)
    expect(slow.publications.map(({ offset }) => offset)).to.deep.equal(numbers(1, 100).map(Number))
    expect(slow.logged).to.deep.equal([])
  })

  it('are made anew when nothing comes over them any more', async () => {
    const node = await start({
      url: proxy.url,
      commandTimeout: 1000,
      connectTimeout: 1000,
      checkInterval: 50,
    })
    await node.engine.broker.subscribe('a')
    proxy.isMute = true
    expect(await rejection(node.keep('a', '"lost"'))).to.include({ code: 'engine_unavailable' })
    await node.until(() => node.logged.filter(({ message }) => message === 'Redis is away').length >= 2)
    proxy.isMute = false
    await node.until(() => node.logged.filter(({ message }) => message === 'Redis is back').length >= 2)
    const { offset } = await node.keep('a', '"heard"')
    await node.until(() => node.texts.includes('"heard"'))
    expect(node.publications.at(-1)?.offset).to.equal(offset)
  })

  it('take an answer that came in time, though this process stood still until after it', async () => {
    const node = await start({ url: redis.url, commandTimeout: 1000 })
    redis.freeze()
    const kept = node.keep('a', '1')
    // Until it is sent.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
    redis.wake()
    const end = performance.now() + 3000
    while (performance.now() < end);
    expect(await kept).to.include({ offset: 1 })
    expect(node.logged).to.deep.equal([])
  })

  it('are made anew, too, when more waits for an answer than may', async () => {
    const node = await start({ url: proxy.url, commandTimeout: 2000, connectTimeout: 500 })
    proxy.isMute = true
    const publish = () =>
      node.engine.broker.publish({ channel: 'a', json: '1' }).catch(({ cause }) => String(cause))
    // One more than may wait; what comes then fails at once, again and again, while the others wait.
    const waiting = Array.from({ length: 100_001 }, publish)
    const full = setInterval(publish, 50)
    const isLost = ({ message, details }: Logged) =>
      message === 'Redis is away' && 'connection' in details && details.connection === 'command'
    await node.until(() => node.logged.some(isLost))
    clearInterval(full)
    proxy.isMute = false
    expect(await waiting.at(-1)).to.include('full')
    await Promise.all(waiting)
  })

  it('are not tried in a hot loop by a Redis that takes them and breaks them', async () => {
    const node = await start({ url: proxy.url })
    const timer = setInterval(() => proxy.cut(), 5)
    const before = proxy.taken
    await pause(1000)
    while (proxy.taken - before < 2) await pause(5)
    clearInterval(timer)
    // Two connections, each after 0, 0.2, 0.4, 0.8 … s at the most: random parts of that, yet no hundreds.
    expect(proxy.taken - before).to.be.within(2, 60)
    await node.engine.broker.subscribe('a').catch(() => {})
  })

  it('are like those of a client that is given, which is left alone', async () => {
    const client = createClient({ url: redis.url, database: 3, name: 'mine' })
    const node = await start({ client })
    await node.engine.tickets.put({ id: 't', json: '1', ttl: 60_000 })
    await node.engine.broker.subscribe('a')
    await node.keep('a', '1')
    await node.until(() => node.texts.length === 1)
    expect(client.isOpen).to.equal(false)
    expect(await admin.sendCommand(['CLIENT', 'LIST'])).to.match(/name=mine .*db=3/)
    expect(await admin.dbSize()).to.equal(0)
  })

  it('may speak RESP2', async () => {
    const node = await start({ client: createClient({ url: redis.url, RESP: 2 }), checkInterval: 20 })
    await node.engine.broker.subscribe('a')
    await node.keepAll('a', 1, 3)
    await node.engine.presence.enter({ channel: 'a', sid: 's', uid: 'ann' }, 10)
    await node.until(() => node.texts.length === 3 && node.changes.length === 1)
    expect((await node.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann' }])
    expect((await node.engine.history.read('a', { limit: 9 })).publications).to.have.length(3)
  })

  it('are two for a node, and none once it is closed, whatever was under way', async () => {
    // Redis may still have those of other tests.
    const known = new Set(await connectionsOf(admin))
    const count = async () => (await connectionsOf(admin)).filter((id) => !known.has(id)).length
    const node = await start()
    expect(await count()).to.equal(2)
    const published = node.keep('a', '1')
    await node.engine.close()
    expect(await published).to.include({ offset: 1 })
    while ((await count()) > 0);
    expect(await rejection(node.keep('a', '1'))).to.include({ code: 'engine_unavailable' })
  })

  it('are given up at once when it is closed while it connects', async () => {
    proxy.isMute = true
    const node = new RedisNode({ url: proxy.url, connectTimeout: 100 })
    await node.engine.close()
    await node.engine.close()
  })
})

/** The ids of the connections that a Redis has. */
async function connectionsOf(admin: Admin): Promise<string[]> {
  const list = await admin.sendCommand<string>(['CLIENT', 'LIST'])
  return [...list.matchAll(/^id=(\d+) /gm)].map(([, id = '']) => id)
}

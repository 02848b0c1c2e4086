/** What Redis refuses, and what others put into it. */
import { RpcError } from '@token-socket/protocol'
import { expect } from 'chai'
import { createClient } from 'redis'
import { rejection } from '../../protocol/rejection.js'
import { numbers, RedisNode } from '../redis-node.js'
import { type Admin, RedisProcess } from '../redis-process.js'
import { RedisProxy } from '../redis-proxy.js'

const TOPIC = 'token-socket:{a}'

describe('RedisEngine, with a Redis of its own mind', () => {
  let redis: RedisProcess
  let admin: Admin
  const nodes: RedisNode[] = []

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  beforeEach(() => admin.flushAll())

  afterEach(async () => {
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    await admin.configSet('maxmemory', '0')
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
  })

  async function start(options: object = {}): Promise<RedisNode> {
    const node = await RedisNode.start({ url: redis.url, ...options })
    nodes.push(node)
    return node
  }

  async function expectRefusal(operation: Promise<unknown>, text: RegExp): Promise<void> {
    const error = await rejection(operation)
    expect(RpcError.is(error)).to.equal(true)
    expect(error.code).to.equal('engine_unavailable')
    expect(error.message).to.equal('The engine is not available')
    expect(String(error.cause)).to.match(text)
  }

  describe('keys of the wrong type', () => {
    for (const key of ['publications', 'publications:log', 'key:k']) {
      it(`fail what needs ${key}, and are left alone`, async () => {
        const node = await start()
        await admin.lPush(`${TOPIC}:${key}`, 'theirs')
        await expectRefusal(node.keep('a', '1', { idempotencyKey: 'k' }), /WRONGTYPE/)
        expect(await admin.keys(`${TOPIC}*`)).to.deep.equal([`${TOPIC}:${key}`])
        expect(await node.keep('b', '1')).to.include({ offset: 1 })
        await node.untilLogged('Redis refused something')
      })
    }

    it('fail a subscription, which can be tried again', async () => {
      const node = await start()
      await admin.lPush(`${TOPIC}:publications`, 'theirs')
      await expectRefusal(node.engine.broker.subscribe('a'), /WRONGTYPE/)
      await expectRefusal(node.engine.history.read('a', { limit: 1 }), /WRONGTYPE/)
      await admin.flushAll()
      await node.engine.broker.subscribe('a')
      await node.keep('a', '1')
      await node.until(() => node.texts.length === 1)
    })

    for (const key of ['members', 'places', 'leases', 'graces', 'changes', 'changes:log']) {
      it(`fail presence that needs ${key}, and nobody is half there`, async () => {
        const node = await start()
        const ann = { channel: 'a', sid: 's', uid: 'ann' }
        await admin.set(`${TOPIC}:${key}`, 'theirs')
        await expectRefusal(node.engine.presence.enter(ann, 10), /WRONGTYPE/)
        await admin.del(`${TOPIC}:${key}`)
        expect((await node.engine.presence.members('a')).members).to.deep.equal([])
        expect((await node.engine.presence.enter(ann, 10)).members).to.deep.equal([{ uid: 'ann' }])
      })
    }
  })

  it('tells of full memory, and goes on when there is some', async () => {
    const node = await start()
    await node.engine.broker.subscribe('a')
    await node.keep('a', '1')
    await admin.configSet('maxmemory-policy', 'noeviction')
    await admin.configSet('maxmemory', '1')
    await expectRefusal(node.keep('a', '2'), /OOM/)
    await expectRefusal(node.engine.tickets.put({ id: 't', json: '1', ttl: 1000 }), /OOM/)
    expect((await node.engine.history.read('a', { limit: 9 })).publications).to.have.length(1)
    await node.engine.broker.publish({ channel: 'a', json: '"not kept"' })
    await admin.configSet('maxmemory', '0')
    expect(await node.keep('a', '3')).to.include({ offset: 2 })
    await node.until(() => node.texts.length === 3)
    expect(node.texts).to.deep.equal(['1', '"not kept"', '3'])
  })

  it('tells of a replica that takes nothing, and goes on when it is a master', async () => {
    const node = await start()
    await node.engine.broker.subscribe('a')
    await node.keep('a', '1')
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    await expectRefusal(node.keep('a', '2'), /READONLY/)
    await node.untilLogged('Redis is back')
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    expect(await node.keep('a', '3')).to.include({ offset: 2 })
    await node.until(() => node.texts.length === 2)
    expect(node.texts).to.deep.equal(['1', '3'])
  })

  it('tells its scripts again to a Redis that has forgotten them', async () => {
    const node = await start()
    await admin.sendCommand(['SCRIPT', 'FLUSH', 'SYNC'])
    expect(await node.keep('a', '1')).to.include({ offset: 1 })
    expect((await node.engine.history.read('a', { limit: 9 })).publications).to.have.length(1)
  })

  it('tells them again in the order of the calls', async () => {
    const proxy = await RedisProxy.open(redis.port)
    const node = await start({ url: proxy.url })
    await node.engine.broker.subscribe('a')
    proxy.delay = 5
    const receipts: Promise<unknown>[] = []
    for (let tick = 0; tick < 50; tick += 1) {
      if (tick === 20) void admin.sendCommand(['SCRIPT', 'FLUSH', 'SYNC'])
      receipts.push(node.keepAll('a', tick * 10 + 1, tick * 10 + 10))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(receipts)
    await node.until(() => node.texts.length >= 500)
    expect(node.texts).to.deep.equal(numbers(1, 500))
    await proxy.close()
  })

  it('keeps what is in one database from who uses another', async () => {
    const client = createClient({ url: redis.url, database: 2 })
    const one = await start()
    const others = [
      await start({ url: `${redis.url}/1` }),
      await start({ url: undefined, client }),
      await start({ url: `${redis.unixUrl}?db=3` }),
    ]
    for (const { engine } of others) await engine.broker.subscribe('a')
    await one.engine.broker.publish({ channel: 'a', json: '"loose"' })
    await one.keep('a', '"kept"')
    await one.engine.broker.broadcast('"to all"')
    for (const node of others) {
      await node.keep('a', '"own"')
      await node.until(() => node.texts.length > 0)
      expect([node.texts, node.broadcasts, node.logged]).to.deep.equal([['"own"'], [], []])
      expect(await node.engine.nodes.list()).to.deep.equal([node.engine.nodes.id])
    }
  })

  describe('messages of others', () => {
    const ID = '01HP8BGSABCDEFGHJKMNPQRSTV'

    for (const text of [
      'hello',
      '',
      '{"channel":"a"}',
      `p ${ID} - no data`,
      `p ${ID} - {"event":\n1`,
      'p short - \n1',
      `q ${ID} - \n1`,
      `p ${ID} bad epoch! 1 \n1`,
      `p ${ID} epoch -1 \n1`,
      `p ${ID} epoch 99 \n"forged"`,
      `c ${ID} epoch 1 joined`,
      `c ${ID} epoch 7 joined ann `,
    ]) {
      it(`are ignored and logged: ${JSON.stringify(text)}`, async () => {
        const node = await start()
        await node.engine.broker.subscribe('a')
        await node.keep('a', '1')
        for (const topic of [TOPIC, 'token-socket:{%control}']) await admin.publish(topic, text)
        await node.until(() => node.logged.length > 0)
        await node.keep('a', '2')
        await node.engine.broker.broadcast('1')
        await node.until(() => node.texts.length === 2 && node.broadcasts.length === 1)
        expect(node.texts).to.deep.equal(['1', '2'])
        expect(node.changes).to.deep.equal([])
      })
    }

    it('are logged now and then, and counted', async () => {
      const node = await start()
      await node.engine.broker.subscribe('a')
      await Promise.all(Array.from({ length: 500 }, () => admin.publish(TOPIC, 'hello')))
      await node.keep('a', '1')
      await node.until(() => node.texts.length === 1)
      expect(node.logged.map(({ message }) => message)).to.deep.equal([
        'a message on a Redis channel is not ours',
      ])
    })
  })
})

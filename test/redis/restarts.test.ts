/** Redis goes away, and comes back with all, some or none of what it had. */
import { expect } from 'chai'
import { isNext } from '#server/engine/epoch.js'
import { firstIdAt } from '#server/engine/event-ids.js'
import { rejection } from '../protocol/rejection.js'
import { numbers, RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'

const HOUR = 3_600_000

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']

describe('RedisEngine, when Redis restarts', () => {
  let redis: RedisProcess
  const nodes: RedisNode[] = []

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
    await redis.stop()
  })

  async function pair(options = {}): Promise<[RedisNode, RedisNode]> {
    const made = await Promise.all([1, 2].map(() => RedisNode.start({ url: redis.url, ...options })))
    nodes.push(...made)
    for (const { engine } of made) await engine.broker.subscribe('a')
    return made as [RedisNode, RedisNode]
  }

  /**
   * Five publications, of which Redis has lost the last two when both nodes have heard them.
   * @param ahead milliseconds by which the clock of the Redis that had them was ahead
   */
  async function loseTwoOfFive(one: RedisNode, two: RedisNode, ahead = 0): Promise<void> {
    const admin = await redis.admin()
    await one.keepAll('a', 1, 3)
    const copy = await dump(admin)
    if (ahead > 0) {
      const id = firstIdAt(Date.now() + ahead).padEnd(26, '0')
      await admin.hSet('token-socket:{a}:publications', 'floor', id)
    }
    await one.keepAll('a', 4, 5)
    // Both: what one of them has not heard by then is gone.
    for (const node of [one, two]) await node.until(() => node.publications.length === 5)
    await restore(admin, copy)
  }

  /** Both hear nine publications, each once, in order, and no place and no id twice. */
  async function expectNine(...both: readonly RedisNode[]): Promise<void> {
    for (const node of both) {
      await node.until(() => node.publications.length >= 9)
      expect(node.texts).to.deep.equal(numbers(1, 9))
      const places = node.publications.map(({ epoch, offset }) => `${epoch} ${offset}`)
      expect(new Set(places)).to.have.property('size', 9)
      const ids = node.publications.map(({ id }) => id)
      expect(ids).to.deep.equal([...new Set(ids)].sort())
    }
  }

  const back = (all: readonly RedisNode[]) =>
    Promise.all(
      all.map((node) => {
        const isBack = ({ message }: { message: string }) => message === 'Redis is back'
        return node.until(() => node.logged.filter(isBack).length >= 2)
      }),
    )

  it('fails every operation at once while it is away, and goes on when it is back', async () => {
    redis = await RedisProcess.start(...DURABLE)
    const [one, two] = await pair()
    await redis.kill()
    await one.untilLogged('Redis is away')
    const { broker, history, tickets, presence } = one.engine
    const begun = performance.now()
    const entry = { channel: 'a', sid: 's', uid: 'u' }
    const operations = [
      () => broker.publish({ channel: 'a', json: '1' }),
      () => one.keep('a', '1'),
      () => broker.broadcast('1'),
      () => broker.command({ type: 'unsubscribeAll', channel: 'a' }),
      () => broker.subscribe('b'),
      () => history.read('a', { limit: 1 }),
      () => history.position('a'),
      () => tickets.put({ id: 't', json: '1', ttl: 1000 }),
      () => tickets.take('t'),
      () => tickets.claim('t', 1000),
      () => presence.enter(entry, 10),
      () => presence.leave(entry, 0),
      () => presence.members('a'),
    ]
    for (const operation of operations)
      expect(await rejection(operation())).to.include({ code: 'engine_unavailable' })
    expect(performance.now() - begun).to.be.below(4000)
    await redis.restart()
    await back([one, two])
    await one.keep('a', '"back"')
    await two.until(() => two.publications.length > 0)
    expect(two.texts).to.deep.equal(['"back"'])
    expect(await tickets.claim('t', 1000)).to.equal(true)
  })

  it('loses nothing that was acknowledged if it kept its data', async () => {
    redis = await RedisProcess.start(...DURABLE)
    const [one, two] = await pair()
    const acknowledged: string[] = []
    const publish = async (number: number) => {
      const { offset, epoch } = await one.keep('a', String(number))
      acknowledged.push(`${epoch} ${offset} ${number}`)
    }
    for (let round = 0; round < 3; round += 1) {
      const burst = numbers(round * 1000 + 1, round * 1000 + 500).map((json) => publish(Number(json)))
      const atStart = acknowledged.length
      await Promise.race(burst)
      await redis.kill()
      await Promise.allSettled(burst)
      expect(acknowledged.length).to.be.above(atStart)
      await redis.restart()
      await one.engine.ready().catch(() => {})
      await untilBack(one)
    }
    await one.keep('a', '"end"')
    for (const node of [one, two]) {
      await node.until(() => node.texts.includes('"end"'))
      const heard = node.publications.map(({ epoch, offset, json }) => `${epoch} ${offset} ${json}`)
      expect(heard).to.include.members(acknowledged)
      expect(node.publications.map(({ offset }) => offset)).to.deep.equal(
        node.publications.map((_, i) => i + 1),
      )
    }
    expect(new Set(one.publications.map(({ epoch }) => epoch))).to.have.property('size', 1)
    expect(one.publications).to.deep.equal(two.publications)
  })

  it('begins a new epoch if its data is gone', async () => {
    redis = await RedisProcess.start()
    const [one, two] = await pair()
    await one.keepAll('a', 1, 3)
    // Both: what one of them has not heard by then is gone.
    for (const node of [one, two]) await node.until(() => node.publications.length === 3)
    await redis.kill()
    await redis.restart()
    await untilBack(one)
    await one.keepAll('a', 4, 6)
    for (const node of [one, two]) {
      await node.until(() => node.publications.length >= 6)
      expect(node.texts).to.deep.equal(numbers(1, 6))
      expect(node.publications.map(({ offset }) => offset)).to.deep.equal([1, 2, 3, 1, 2, 3])
      expect(new Set(node.publications.map(({ epoch }) => epoch))).to.have.property('size', 2)
    }
    expect((await one.engine.history.read('a', { limit: 9 })).publications).to.have.length(3)
  })

  it('tells who saw a channel empty that all was lost since, on every node', async () => {
    redis = await RedisProcess.start()
    const admin = await redis.admin()
    const nodes = await pair({ checkInterval: 50 })
    const epochs = () =>
      Promise.all(nodes.map(async ({ engine }) => (await engine.history.position('a')).epoch))
    const [before = '', other = ''] = await epochs()
    expect(isNext(before, other)).to.equal(true)
    await admin.flushAll()
    for (;;) {
      const [one = '', two = ''] = await epochs()
      if (!isNext(before, one) && !isNext(before, two) && isNext(one, two)) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

  it('begins a new epoch after FLUSHALL', async () => {
    redis = await RedisProcess.start()
    const admin = await redis.admin()
    const [one, two] = await pair()
    await one.keepAll('a', 1, 3)
    await two.until(() => two.publications.length === 3)
    await admin.flushAll()
    expect((await one.engine.history.position('a')).offset).to.equal(0)
    await one.keepAll('a', 4, 6)
    await one.engine.broker.broadcast('1')
    for (const node of [one, two]) {
      await node.until(() => node.publications.length >= 6 && node.broadcasts.length === 1)
      expect(node.texts).to.deep.equal(numbers(1, 6))
    }
    expect(two.publications[3]?.epoch).to.not.equal(two.publications[2]?.epoch)
  })

  it('begins a new epoch if it has lost the latest, and no number stands for two publications', async () => {
    redis = await RedisProcess.start()
    const [one, two] = await pair()
    await loseTwoOfFive(one, two)
    await one.keepAll('a', 6, 9)
    await expectNine(one, two)
    const { position } = await one.engine.history.read('a', { limit: 0 })
    expect(position?.epoch).to.not.equal(one.publications[0]?.epoch)
  })

  it('goes on after what its nodes have heard, however far the clock of what took over is behind', async () => {
    redis = await RedisProcess.start()
    const [one, two] = await pair()
    await loseTwoOfFive(one, two, HOUR)
    await one.keepAll('a', 6, 9)
    await expectNine(one, two)
  })

  it('begins a new epoch, too, where what comes next was published by a node that has heard nothing', async () => {
    redis = await RedisProcess.start()
    const [one, two] = await pair()
    const other = await RedisNode.start({ url: redis.url })
    nodes.push(other)
    await loseTwoOfFive(one, two, HOUR)
    const first = one.publications[0]?.epoch
    await other.keepAll('a', 6, 9)
    while ((await other.engine.history.position('a')).epoch === first);
    await other.keep('a', '"end"')
    for (const node of [one, two]) {
      await node.until(() => node.texts.includes('"end"'))
      expect(node.publications.at(-1)?.epoch).to.not.equal(first)
    }
  })

  it('notices that it has lost the latest though nothing is published', async () => {
    redis = await RedisProcess.start()
    const admin = await redis.admin()
    const [one] = await pair({ checkInterval: 50 })
    const first = await one.keep('a', '1')
    const copy = await dump(admin)
    await one.keep('a', '2')
    await one.until(() => one.publications.length === 2)
    await restore(admin, copy)
    let epoch = first.epoch
    while (epoch === first.epoch) epoch = (await one.engine.history.position('a'))?.epoch
    await one.keep('a', '3')
    await one.until(() => one.publications.length === 3)
    expect(one.texts).to.deep.equal(['1', '2', '3'])
  })

  it('gives up a Redis that says nothing, and takes it again when it speaks', async () => {
    redis = await RedisProcess.start()
    const [one, two] = await pair({ commandTimeout: 1000, connectTimeout: 1000, checkInterval: 100 })
    redis.freeze()
    try {
      expect(await rejection(one.keep('a', '1'))).to.include({ code: 'engine_unavailable' })
      await Promise.all([one, two].map((node) => node.untilLogged('Redis is away')))
    } finally {
      redis.wake()
    }
    await untilBack(one)
    await one.keep('a', '"end"')
    for (const node of [one, two]) await node.until(() => node.texts.includes('"end"'))
  })

  it('is waited for from the start, and does no harm if it is not there', async () => {
    redis = await RedisProcess.start()
    await redis.kill()
    const node = new RedisNode({ url: redis.url })
    nodes.push(node)
    expect(await rejection(node.engine.ready())).to.include({ code: 'engine_unavailable' })
    expect(await rejection(node.engine.broker.subscribe('a'))).to.include({ code: 'engine_unavailable' })
    await redis.restart()
    await back([node])
    await node.engine.broker.subscribe('a')
    await node.engine.broker.broadcast('1')
    await node.keep('a', '1')
    await node.until(() => node.texts.length === 1 && node.broadcasts.length === 1)
  })
})

/** Resolves when a node's operations are carried out again. */
async function untilBack(node: RedisNode): Promise<void> {
  for (;;) {
    const isBack = await node.engine.ready().then(
      () => true,
      () => false,
    )
    if (isBack) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

type Copy = Map<string, { readonly data: string; readonly ttl: number }>

/** All that is kept about a channel, as a replica that is behind would have it. */
async function dump(admin: Admin): Promise<Copy> {
  const copy: Copy = new Map()
  for (const key of await admin.keys('token-socket:{a}*')) {
    const data = await admin.withTypeMapping({ 36: Buffer }).sendCommand(['DUMP', key])
    copy.set(key, { data: data as unknown as string, ttl: Number(await admin.pTTL(key)) })
  }
  return copy
}

async function restore(admin: Admin, copy: Copy): Promise<void> {
  for (const [key, { data, ttl }] of copy)
    await admin.sendCommand(['RESTORE', key, String(ttl), data, 'REPLACE'])
}

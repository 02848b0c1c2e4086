/** Messages that are lost on their way from Redis to a node. */
import { expect } from 'chai'
import { LogFollower } from '#redis/log-follower.js'
import { numbers, RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

describe('Feed', () => {
  it('reads nothing more once it has ended, though it was about to be compared', () => {
    let reads = 0
    const feed = new LogFollower({
      kind: 'publication',
      keys: { meta: 'meta', entries: 'entries' },
      follow: async () => {
        reads += 1
        return { entries: [], place: undefined, isEnd: true }
      },
      deliver: () => {},
      refuse: () => {},
    })
    feed.end()
    feed.check({ epoch: 'e', offset: 1, id: 'id' }, undefined)
    expect(reads).to.equal(0)
  })
})

describe('RedisBroker, when messages are lost', () => {
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

  /** A node that may lose messages, and one that does not. */
  async function pair(options = {}): Promise<[deaf: RedisNode, other: RedisNode]> {
    const made = await Promise.all([
      RedisNode.start({ url: proxy.url, ...options }),
      RedisNode.start({ url: redis.url }),
    ])
    nodes.push(...made)
    for (const { engine } of made) await engine.broker.subscribe('a')
    return made
  }

  const isData = (message: string, lost: readonly number[]) =>
    lost.includes(Number(/\n(\d+)$/.exec(message)?.[1]))

  it('delivers all that is kept in order, each once', async () => {
    const [deaf, other] = await pair()
    proxy.loses = (message) => isData(message, [1, 4, 5, 6, 9])
    await other.keepAll('a', 1, 10)
    await deaf.until(() => deaf.publications.length >= 10)
    expect(deaf.texts).to.deep.equal(numbers(1, 10))
    expect(deaf.publications).to.deep.equal(other.publications)
  })

  it('notices the loss of the last one though nothing follows', async () => {
    const [deaf, other] = await pair({ checkInterval: 50 })
    proxy.loses = (message) => isData(message, [2, 3])
    await other.keepAll('a', 1, 3)
    await deaf.until(() => deaf.publications.length >= 3)
    expect(deaf.texts).to.deep.equal(numbers(1, 3))
  })

  it('delivers a burst of thousands of which the first is lost', async () => {
    const [deaf, other] = await pair()
    proxy.loses = (message) => isData(message, [1, 1500, 2999])
    await other.keepAll('a', 1, 5000)
    await deaf.until(() => deaf.publications.length >= 5000)
    expect(deaf.texts).to.deep.equal(numbers(1, 5000))
  })

  it('leaves out what is kept no more, so that its offsets tell', async () => {
    const [deaf, other] = await pair()
    proxy.loses = (message) => isData(message, [1, 2, 3, 4, 5])
    const retention = { size: 2, ttl: 60_000 }
    for (const json of numbers(1, 6)) await other.keep('a', json, { retention })
    await deaf.until(() => deaf.publications.length >= 2)
    expect(deaf.publications.map(({ offset }) => offset)).to.deep.equal([5, 6])
    await other.keep('a', '7', { retention })
    await deaf.until(() => deaf.publications.length >= 3)
    expect(deaf.texts).to.deep.equal(['5', '6', '7'])
  })

  it('delivers nothing more of what was missed once it has unsubscribed', async () => {
    const [deaf, other] = await pair()
    proxy.loses = (message) => isData(message, [1])
    let isHeard = () => {}
    const heard = new Promise<void>((resolve) => {
      isHeard = resolve
    })
    deaf.engine.broker.listen({
      publication: (publication) => {
        deaf.publications.push(publication)
        void deaf.engine.broker.unsubscribe('a')
        isHeard()
      },
      broadcast: () => {},
      command: () => {},
      presence: () => {},
    })
    await other.keepAll('a', 1, 5)
    await heard
    // What would follow comes within these: they are answered after what was under way.
    await deaf.engine.broker.subscribe('b')
    await deaf.engine.history.read('a', { limit: 1 })
    expect(deaf.texts).to.deep.equal(['1'])
  })

  it('delivers broadcasts too, and who came and went', async () => {
    const [deaf, other] = await pair()
    const ann = { channel: 'a', sid: 's', uid: 'ann' }
    proxy.loses = (message) => / (joined|left) /.test(message) || message.endsWith('\n"lost"')
    await other.engine.broker.broadcast('"lost"')
    await other.engine.broker.broadcast('"heard"')
    await other.engine.presence.enter(ann, 10)
    await other.engine.presence.leave(ann, 0)
    proxy.loses = () => false
    await other.engine.presence.enter(ann, 10)
    await deaf.until(() => deaf.changes.length >= 3 && deaf.broadcasts.length >= 2)
    expect(deaf.comings).to.deep.equal(['joined ann', 'left ann', 'joined ann'])
    expect(deaf.changes.map(({ seq }) => seq)).to.deep.equal([1, 2, 3])
    expect(deaf.broadcasts).to.deep.equal(['"lost"', '"heard"'])
  })

  it('goes on after its connection was cut, again and again, in the middle of bursts', async () => {
    const [deaf, other] = await pair()
    for (let round = 0; round < 10; round += 1) {
      const burst = other.keepAll('a', round * 300 + 1, round * 300 + 300)
      await deaf.until(() => deaf.publications.length > round * 300)
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await burst
    }
    await Promise.all([deaf, other].map((node) => node.until(() => node.publications.length >= 3000)))
    for (const node of [deaf, other]) expect(node.texts).to.deep.equal(numbers(1, 3000))
  })
})

/** Programs that publish straight to Redis, as they did with the legacy server. */
import { type RedisEngineOptions, redisEngine } from '@token-socket/redis'
import type { RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { rejection, thrownBy } from '../protocol/rejection.js'
import { RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

describe('RedisEngine’s legacyChannels', () => {
  let redis: RedisProcess
  let admin: Admin
  const nodes: RedisNode[] = []

  before(async () => {
    redis = await RedisProcess.start()
    admin = await redis.admin()
  })

  after(() => redis.stop())

  afterEach(() => Promise.all(nodes.splice(0).map(({ engine }) => engine.close())))

  async function start(options: Partial<RedisEngineOptions>): Promise<RedisNode> {
    const node = await RedisNode.start({ url: redis.url, ...options })
    nodes.push(node)
    return node
  }

  /** What `redis.publish` of another program reaches: how many connections. */
  const publish = (topic: string, text: string) => admin.publish(topic, text)

  it('are heard on every node, in order, as JSON or as a text, without an offset', async () => {
    const both = await Promise.all([1, 2].map(() => start({ legacyChannels: ['news'] })))
    for (const { engine } of both) await engine.broker.subscribe('news')
    for (const text of ['{ "a":\n 1 }', 'hello', '5', '"5"', '{broken', '']) {
      expect(await publish('news', text)).to.equal(2)
    }
    for (const node of both) {
      await node.until(() => node.texts.length === 6)
      expect(node.texts).to.deep.equal(['{"a":1}', '"hello"', '5', '"5"', '"{broken"', '""'])
      const [first, second] = node.publications
      expect(Object.keys(first ?? {})).to.have.members(['channel', 'json', 'id'])
      expect([first?.id, second?.id].sort()).to.deep.equal([first?.id, second?.id])
    }
  })

  it('stand beside what the engine itself publishes', async () => {
    const node = await start({ legacyChannels: ['news'] })
    await node.engine.broker.subscribe('news')
    await node.keep('news', '1')
    await publish('news', '2')
    await node.until(() => node.texts.length === 2)
    await node.keep('news', '3')
    await node.until(() => node.texts.length === 3)
    expect(node.publications.map(({ json, offset }) => [json, offset])).to.deep.equal([
      ['1', 1],
      ['2', undefined],
      ['3', 2],
    ])
    expect((await node.engine.history.read('news', { limit: 9 })).publications).to.have.length(2)
  })

  it('are no longer heard once the node has left them', async () => {
    const node = await start({ legacyChannels: ['news'] })
    await node.engine.broker.subscribe('news')
    await node.engine.broker.unsubscribe('news')
    expect(await publish('news', '1')).to.equal(0)
  })

  it('take broadcasts, where ___all___ is among them', async () => {
    const node = await start({ legacyChannels: ['___all___'] })
    await node.engine.broker.subscribe('news')
    expect(await publish('___all___', '{"to":"all"}')).to.equal(1)
    await node.until(() => node.broadcasts.length === 1)
    expect(node.broadcasts).to.deep.equal(['{"to":"all"}'])
  })

  it('may be chosen by a function; one that throws, or returns no boolean, chooses nothing', async () => {
    const node = await start({
      legacyChannels: (channel) => {
        if (channel === 'bad') throw new Error('what?')
        if (channel === 'late') return Promise.reject(new Error('no')) as unknown as boolean
        return channel === 'odd' ? ('yes' as unknown as boolean) : channel.startsWith('news-')
      },
    })
    for (const channel of ['news-1', 'bad', 'odd', 'late', 'other'])
      await node.engine.broker.subscribe(channel)
    const heard = await Promise.all(
      ['news-1', 'bad', 'odd', 'late', 'other', '___all___'].map((topic) => publish(topic, '1')),
    )
    expect(heard).to.deep.equal([1, 0, 0, 0, 0, 0])
    await node.untilLogged('legacyChannels threw')
    await node.untilLogged('legacyChannels has to return true or false')
  })

  it('are never Redis channels of the engine, of Redis, or of the legacy server itself', async () => {
    for (const prefix of ['token-socket:', '']) {
      const node = await start({ prefix, legacyChannels: () => true })
      const other = await start({ prefix })
      const own = (await admin.pubSubChannels('*')).filter((topic) => topic.startsWith(`${prefix}{`))
      expect(own).to.not.deep.equal([])
      const counts = () =>
        Promise.all(
          [...own, '___sync___', '__keyspace@0__:a'].map(async (topic) => {
            const { [topic]: count } = await admin.pubSubNumSub(topic)
            return count
          }),
        )
      const before = await counts()
      for (const topic of [...own, '___sync___', '__keyspace@0__:a'])
        await node.engine.broker.subscribe(topic)
      expect(await counts()).to.deep.equal(before)
      await other.engine.broker.broadcast('1')
      await node.until(() => node.broadcasts.length === 1)
      expect(node.texts).to.deep.equal([])
    }
  })

  describe('and publishLegacy', () => {
    /** What a program hears by Redis. */
    async function program(topic: string): Promise<string[]> {
      const heard: string[] = []
      const client = await redis.admin()
      await client.subscribe(topic, (text) => heard.push(text))
      return heard
    }

    it('reach other programs as JSON, and no node of the same prefix', async () => {
      const legacyChannels = ['news', '___all___']
      const [one, two] = [await start({ legacyChannels }), await start({ legacyChannels })]
      const other = await start({ legacyChannels, prefix: 'other:' })
      for (const { engine } of [one, two, other]) await engine.broker.subscribe('news')
      const [news, all] = [await program('news'), await program('___all___')]
      for (const data of [{ a: 'b' }, 'text', 5, undefined])
        expect(await one.engine.publishLegacy('news', data)).to.equal(true)
      expect(await one.engine.publishLegacy(undefined, 'to all')).to.equal(true)
      await publish('news', '"end"')
      await publish('___all___', '"end"')
      for (const node of [one, two, other]) {
        await node.until(() => node.texts.at(-1) === '"end"' && node.broadcasts.at(-1) === '"end"')
        const [texts, broadcasts] =
          node === other ? [['{"a":"b"}', '"text"', '5', 'null'], ['"to all"']] : [[], []]
        expect([node.texts, node.broadcasts]).to.deep.equal([
          [...texts, '"end"'],
          [...broadcasts, '"end"'],
        ])
      }
      while (![news, all].every((list) => list.at(-1) === '"end"'))
        await new Promise((resolve) => setTimeout(resolve, 5))
      expect(news.map((text) => JSON.parse(text))).to.deep.equal([{ a: 'b' }, 'text', 5, null, 'end'])
      expect(all.map((text) => JSON.parse(text))).to.deep.equal(['to all', 'end'])
    })

    it('reach no Redis channel but those that are shared', async () => {
      const heard: string[] = []
      const spy = await redis.admin()
      await spy.pSubscribe('*', (_text, topic) => topic.startsWith('token-socket:{') || heard.push(topic))
      const listed = await start({ legacyChannels: ['news'] })
      const chosen = await start({ legacyChannels: (name) => name !== 'other' && name !== '___all___' })
      const names = ['other', '___all___', '___sync___', '__keyspace@0__:a', 'token-socket:{news}', undefined]
      for (const { engine } of [listed, chosen])
        for (const name of names) expect(await engine.publishLegacy(name, 1), name).to.equal(false)
      const all = await start({ legacyChannels: ['___all___'] })
      expect(await all.engine.publishLegacy('___all___', 1)).to.equal(false)
      expect(await chosen.engine.publishLegacy('news', 1)).to.equal(true)
      await publish('end', '')
      while (!heard.includes('end')) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(heard).to.deep.equal(['news', 'end'])
    })

    it('refuse what is no JSON, and an engine that shares nothing', async () => {
      const node = await start({ legacyChannels: ['news'] })
      expect((await rejection(node.engine.publishLegacy('news', 1n))).code).to.equal('unserializable')
      const none = await start({})
      const error = await rejection(none.engine.publishLegacy('news', 1))
      expect(error).to.deep.include({ code: 'bad_option', data: { field: 'legacyChannels' } })
    })
  })

  it('are heard again after a loss; what came meanwhile is lost, and the engine said that it was not well', async () => {
    const proxy = await RedisProxy.open(redis.port)
    const node = await start({ url: proxy.url, legacyChannels: ['news'] })
    await node.engine.broker.subscribe('news')
    proxy.cut()
    await node.untilLogged('Redis is away')
    await node.until(() => node.healths.at(-1) === true)
    while ((await publish('news', '2')) === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await node.until(() => node.texts.length === 1)
    expect(node.healths).to.include(false)
    await proxy.close()
  })

  for (const legacyChannels of [5, 'news', [''], [5], {}, null]) {
    it(`refuse ${JSON.stringify(legacyChannels)}`, () => {
      const options = { legacyChannels } as unknown as RedisEngineOptions
      const error = thrownBy(() => redisEngine(options)) as RpcError
      expect(error).to.deep.include({ code: 'bad_option', data: { field: 'legacyChannels' } })
    })
  }

  it('refuse a cluster', () => {
    const cluster = { rootNodes: [{ url: 'redis://localhost:1' }] }
    const error = thrownBy(() => redisEngine({ cluster, legacyChannels: ['news'] })) as RpcError
    expect(error).to.deep.include({ code: 'bad_option', data: { field: 'legacyChannels' } })
  })
})

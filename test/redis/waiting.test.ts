/** Publications that wait while Redis is away. */
import { type Receipt, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { rejection } from '../protocol/rejection.js'
import { numbers, RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { RedisProxy } from './redis-proxy.js'

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('RedisEngine, with publications that may wait', () => {
  let redis: RedisProcess
  let admin: Admin
  let proxy: RedisProxy
  const nodes: RedisNode[] = []

  beforeEach(async () => {
    redis = await RedisProcess.start('--appendonly', 'yes', '--appendfsync', 'always')
    admin = await redis.admin()
    proxy = await RedisProxy.open(redis.port)
  })

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
    await proxy.close()
    await redis.stop()
  })

  async function start(options: object = {}): Promise<RedisNode> {
    const node = await RedisNode.start({ url: redis.url, waitingPublications: 100, ...options })
    nodes.push(node)
    await node.engine.broker.subscribe('a')
    return node
  }

  const untilAway = (node: RedisNode) => node.until(() => !node.engine.health.now.ok)

  it('sends them in order when it is back, and what comes meanwhile after them', async () => {
    const [node, other] = await Promise.all([start(), start()])
    await redis.kill()
    await untilAway(node)
    const receipts = numbers(1, 50).map((json) => node.keep('a', json))
    await pause(50)
    receipts.push(...numbers(51, 99).map((json) => node.keep('a', json)))
    await redis.restart()
    const offsets = (await Promise.all(receipts)).map(({ offset }) => offset)
    expect(offsets).to.deep.equal(numbers(1, 99).map(Number))
    await other.until(() => other.publications.length === 99)
    expect(other.texts).to.deep.equal(numbers(1, 99))
  })

  it('keeps what is not kept, broadcasts and orders waiting too, in the same order', async () => {
    const [node, other] = await Promise.all([start({ url: proxy.url }), start()])
    const heard: unknown[] = []
    other.engine.broker.listen({
      publication: ({ json }) => heard.push(json),
      broadcast: (json) => heard.push(json),
      command: ({ channel }) => heard.push(channel),
      presence: () => {},
    })
    proxy.isShut = true
    proxy.cut()
    await untilAway(node)
    const { broker } = node.engine
    const all = [
      broker.publish({ channel: 'a', json: '"loose"' }),
      broker.publish({ channel: 'a', json: '"with a key"' }, { idempotencyKey: 'k' }),
      broker.broadcast('"to all"'),
      broker.command({ type: 'unsubscribeAll', channel: 'x' }),
    ]
    proxy.isShut = false
    await Promise.all(all)
    await node.keep('a', '"end"')
    while (heard.length < 5) await pause(5)
    expect(heard).to.have.members(['"loose"', '"with a key"', '"to all"', 'x', '"end"'])
    expect(heard.indexOf('"loose"')).to.be.below(heard.indexOf('"with a key"'))
    expect(heard.indexOf('"to all"')).to.be.below(heard.indexOf('x'))
  })

  it('makes none twice whose answer was lost with the connection', async () => {
    const other = await start()
    const node = await start({ url: proxy.url, commandTimeout: 1000, connectTimeout: 1000 })
    // Everything reaches Redis, and no answer comes back.
    proxy.isDeaf = true
    const kept = numbers(1, 20).map((json) => node.keep('a', json))
    const loose = node.engine.broker.publish({ channel: 'a', json: '"loose"' })
    const all = node.engine.broker.broadcast('"to all"')
    await other.until(() => other.publications.length === 21 && other.broadcasts.length === 1)
    await untilAway(node)
    proxy.isDeaf = false
    const receipts = await Promise.all(kept)
    expect(receipts.map(({ offset }) => offset)).to.deep.equal(numbers(1, 20).map(Number))
    expect(receipts).to.deep.equal(
      other.publications.slice(0, 20).map(({ id, epoch, offset }) => ({ id, epoch, offset })),
    )
    await Promise.all([loose, all])
    await node.keep('a', '"end"')
    await other.until(() => other.texts.includes('"end"'))
    expect(other.texts).to.deep.equal([...numbers(1, 20), '"loose"', '"end"'])
    expect(other.broadcasts).to.deep.equal(['"to all"'])
  })

  it('makes none twice, loses none and keeps their order while its connections are killed', async () => {
    const [node, other] = await Promise.all([start({ waitingPublications: 10_000 }), start()])
    const receipts: Promise<Receipt>[] = []
    for (let round = 0; round < 10; round += 1) {
      for (const json of numbers(round * 200 + 1, round * 200 + 200)) receipts.push(node.keep('a', json))
      await pause(round)
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
      await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes'])
    }
    const offsets = (await Promise.all(receipts)).map(({ offset }) => offset)
    expect(offsets).to.deep.equal(numbers(1, 2000).map(Number))
    await other.until(() => other.publications.length >= 2000)
    expect(other.texts).to.deep.equal(numbers(1, 2000))
  })

  it('refuses more than may wait with queue_full', async () => {
    const node = await start({ waitingPublications: 3 })
    await redis.kill()
    await untilAway(node)
    const waiting = numbers(1, 3).map((json) => node.keep('a', json))
    const refused = () => rejection(node.keep('a', '4'))
    let error = await refused()
    // It was under way before it was known that the others have to wait.
    while (RpcError.is(error) && error.code === 'engine_unavailable') error = await refused()
    expect(RpcError.is(error)).to.equal(true)
    expect(error).to.deep.include({ code: 'queue_full', data: { field: 'waitingPublications', limit: 3 } })
    await redis.restart()
    expect((await Promise.all(waiting)).map(({ offset }) => offset)).to.deep.equal([1, 2, 3])
  })

  it('gives up those that have waited too long', async () => {
    const node = await start({ waitingTime: 200 })
    await redis.kill()
    await untilAway(node)
    const begun = performance.now()
    const error = await rejection(node.keep('a', '1'))
    expect(error).to.include({ code: 'engine_unavailable' })
    expect(String(error.cause)).to.match(/away for 200 ms/)
    expect(performance.now() - begun).to.be.above(190)
    await redis.restart()
    await node.until(() => node.engine.health.now.ok)
    expect(await node.keep('a', '2')).to.include({ offset: 1 })
  })

  it('fails those that wait when it is closed', async () => {
    const node = await start()
    await redis.kill()
    await untilAway(node)
    const waiting = numbers(1, 3).map((json) => rejection(node.keep('a', json)))
    await node.engine.close()
    for (const error of await Promise.all(waiting)) expect(error).to.include({ code: 'engine_unavailable' })
    expect(await rejection(node.keep('a', '4'))).to.include({ code: 'engine_unavailable' })
  })

  it('waits for a Redis that is a replica for a moment', async () => {
    const node = await start()
    await admin.sendCommand(['REPLICAOF', '127.0.0.1', '1'])
    const receipt = node.keep('a', '1')
    await untilAway(node)
    await admin.sendCommand(['REPLICAOF', 'NO', 'ONE'])
    expect(await receipt).to.include({ offset: 1 })
  })

  it('waits for a Redis that is busy with a script of others', async () => {
    const node = await start()
    await admin.configSet('lua-time-limit', '10')
    const other = await redis.admin()
    const script = other.sendCommand(['EVAL', 'while true do end', '0']).catch(() => {})
    while (
      await admin.ping().then(
        () => true,
        () => false,
      )
    )
      await pause(5)
    const receipt = node.keep('a', '1')
    await pause(50)
    await admin.sendCommand(['SCRIPT', 'KILL'])
    await script
    expect(await receipt).to.include({ offset: 1 })
  })

  it('does not wait for what Redis refuses for good', async () => {
    const node = await start()
    await admin.set('token-socket:{b}:publications', 'theirs')
    expect(String((await rejection(node.keep('b', '1'))).cause)).to.match(/WRONGTYPE/)
    await admin.configSet('maxmemory-policy', 'noeviction')
    await admin.configSet('maxmemory', '1')
    expect(String((await rejection(node.keep('a', '1'))).cause)).to.match(/OOM/)
  })

  it('leaves the keys of its publications behind for a short time', async () => {
    const node = await start({ waitingTime: 1000 })
    await node.keep('a', '1')
    await node.keep('a', '2', { idempotencyKey: 'mine' })
    const own = await admin.keys('token-socket:{a}:attempt:*')
    expect(own).to.have.length(1)
    expect(await admin.pTTL(own[0] as string)).to.be.within(50_000, 61_000)
    expect(await admin.pTTL('token-socket:{a}:key:mine')).to.be.within(290_000, 300_000)
  })

  it('leaves none behind if none may wait', async () => {
    const node = await start({ waitingPublications: 0 })
    await node.keep('a', '1')
    expect(await admin.keys('token-socket:{a}:attempt:*')).to.deep.equal([])
  })
})

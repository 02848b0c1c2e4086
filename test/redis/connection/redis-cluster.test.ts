/** Several Redis processes that share the keys: each channel is on one of them. */

import { type EngineLimits, engineContract } from '@token-socket/engine-tests'
import { redisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import { ClusterSource } from '#redis/connection/redis-handle.js'
import { freePort } from '../../ports.js'
import { type ClusterMember, isDone, RedisCluster, until } from '../redis-cluster.js'
import { numbers, RedisNode } from '../redis-node.js'
import { RedisProcess } from '../redis-process.js'

/** Channels on the first, the second and the third master. */
const CHANNELS = ['b', 'c', 'a'] as const

/** Short, so that the end of a dead node’s places, which may take 15 s, comes within 4. */
const LEASE = 2500

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('RedisEngine, on a cluster', function () {
  // Failovers take some seconds, and longer on a busy machine.
  this.timeout(120_000)

  let cluster: RedisCluster
  const nodes: RedisNode[] = []

  before(async () => {
    cluster = await RedisCluster.start(2)
  })

  after(() => cluster.stop())

  const createNodes = async (count: number, limits: EngineLimits = {}) => {
    await cluster.flush()
    const nodes = Array.from({ length: count }, () =>
      redisEngine({ cluster: cluster.settings, lease: LEASE, ...limits }),
    )
    await Promise.all(nodes.map((node) => node.ready()))
    return nodes
  }

  engineContract('redis', createNodes, {
    clock: () => ({ pass: (ms) => pause(Math.min(ms, 4000)), restore: () => {} }),
    kill: (engine) => void engine.close(),
  })

  afterEach(() => Promise.all(nodes.splice(0).map(({ engine }) => engine.close())))

  async function start(options: object = {}): Promise<RedisNode> {
    const node = await RedisNode.start({ cluster: cluster.settings, ...options })
    nodes.push(node)
    return node
  }

  it('hears other nodes without having been asked whether it is ready', async () => {
    await cluster.flush()
    // They do not look for what they may have missed.
    const options = { checkInterval: 60_000 }
    const made = [1, 2].map(() => new RedisNode({ cluster: cluster.settings, ...options }))
    nodes.push(...made)
    const [one, two] = made as [RedisNode, RedisNode]
    two.engine.nodes.serve(async (question) => `${question}!`)
    await until(
      async () => (await isDone(one.engine.nodes.list())) && (await one.engine.nodes.list()).length === 2,
    )
    const { answers } = await one.engine.nodes.ask('well', { timeout: 60_000 })
    expect([...answers]).to.deep.equal([[two.engine.nodes.id, 'well!']])
    await one.engine.broker.broadcast('1')
    await two.until(() => two.broadcasts.length === 1)
  })

  it('takes no word for it from a Redis that knows of no slots', async () => {
    const stray = await RedisProcess.start(
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(await freePort()),
    )
    const [master] = cluster.masters
    const rootNodes = [stray.url, master?.process.url ?? ''].map((url) => ({ url }))
    const source = new ClusterSource({ rootNodes }, 5000)
    try {
      // They are asked in any order.
      for (let time = 0; time < 20; time += 1) {
        const slots = await source.readSlots([])
        expect(slots.filter((address) => address === undefined)).to.deep.equal([])
      }
    } finally {
      await stray.stop()
    }
  })

  describe('whose slots move', () => {
    beforeEach(() => cluster.flush())

    it('has channels on each of its masters', async () => {
      const node = await start()
      for (const channel of CHANNELS) await node.keep(channel, '1')
      for (const { admin } of cluster.masters) {
        const keys = await admin.keys('token-socket:{?}:publications')
        expect(keys).to.have.length(1)
      }
    })

    it('hears over sharded Redis channels', async () => {
      const node = await start()
      await node.engine.broker.subscribe('a')
      const topics = (command: string) =>
        Promise.all(
          cluster.masters.map(({ admin }) => admin.sendCommand<string[]>(['PUBSUB', command, '*{a}*'])),
        )
      expect((await topics('SHARDCHANNELS')).flat()).to.deep.equal(['token-socket:{a}'])
      expect((await topics('CHANNELS')).flat()).to.deep.equal([])
    })

    it('is followed: what is published all the while comes once and in order', async () => {
      const [one, two] = await Promise.all([start(), start()])
      for (const { engine } of [one, two]) await engine.broker.subscribe('a')
      await one.engine.presence.enter({ channel: 'a', sid: 's', uid: 'ann' }, 10)
      await one.keepAll('a', 1, 20)
      const moved = move(cluster, 'a', 2, 0)
      await one.keepAll('a', 21, 120)
      await moved
      await two.keepAll('a', 121, 140)
      for (const node of [one, two]) {
        await node.until(() => node.texts.includes('140'))
        expect(node.texts).to.deep.equal(numbers(1, 140))
      }
      expect((await two.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann' }])
      await move(cluster, 'a', 0, 2)
      await two.keep('a', '"back"')
      for (const node of [one, two]) await node.until(() => node.texts.includes('"back"'))
      // What is not kept comes too, as soon as they are subscribed there.
      await until(async () => {
        await two.engine.broker.publish({ channel: 'a', json: '"not kept"' })
        return [one, two].every((node) => node.texts.includes('"not kept"'))
      })
    })

    it('gets what is published meanwhile in the order of the calls', async () => {
      const [one, two] = await Promise.all([
        start({ commandTimeout: 20_000, connectTimeout: 20_000 }),
        start(),
      ])
      await two.engine.broker.subscribe('a')
      let isMoving = true
      const published: Promise<unknown>[] = []
      const publishing = (async () => {
        while (isMoving || published.length < 100) {
          published.push(one.keep('a', String(published.length + 1)))
          await pause(1)
        }
      })()
      await move(cluster, 'a', 2, 0)
      await move(cluster, 'a', 0, 2)
      isMoving = false
      await publishing
      await Promise.all(published)
      await two.until(() => two.texts.length >= published.length)
      expect(two.texts).to.deep.equal(numbers(1, published.length))
    })

    it('is followed by who publishes nothing', async () => {
      const [one, two] = await Promise.all([start({ checkInterval: 60_000 }), start()])
      await one.engine.broker.subscribe('a')
      await move(cluster, 'a', 2, 0)
      await two.keepAll('a', 1, 3)
      await one.until(() => one.texts.length === 3)
      await move(cluster, 'a', 0, 2)
      await two.keepAll('a', 4, 6)
      await one.until(() => one.texts.length === 6)
      expect(one.texts).to.deep.equal(numbers(1, 6))
    })
  })

  describe('that cannot be reached', () => {
    it('fails what is asked, is told of once, and can be given up', async () => {
      const node = new RedisNode({
        cluster: { rootNodes: [{ url: 'redis://127.0.0.1:1' }] },
        connectTimeout: 200,
      })
      expect(await isDone(node.engine.ready())).to.equal(false)
      await node.untilLogged('Redis is away')
      const error = await node.keep('a', '1').catch((cause: unknown) => cause)
      expect(error).to.include({ code: 'engine_unavailable' })
      expect(node.logged).to.have.length(1)
      await node.engine.close()
    })
  })

  describe('that loses a master', () => {
    /** Two nodes that hear all the channels. */
    async function pair(): Promise<[RedisNode, RedisNode]> {
      const made: [RedisNode, RedisNode] = [
        await start({ commandTimeout: 3000 }),
        await start({ commandTimeout: 3000 }),
      ]
      for (const { engine } of made) for (const channel of CHANNELS) await engine.broker.subscribe(channel)
      return made
    }

    const heard = (node: RedisNode, channel: string) =>
      node.publications.filter((publication) => publication.channel === channel).map(({ json }) => json)

    it('goes on with its replica; the channels of the others notice nothing', async () => {
      await cluster.flush()
      const [one, two] = await pair()
      await one.engine.presence.enter({ channel: 'b', sid: 's', uid: 'ann' }, 10)
      await one.keepAll('b', 1, 50)
      await cluster.masters[0]?.process.kill()
      await two.untilLogged('Redis is away')
      expect(await isDone(two.keep('b', '"fails"'))).to.equal(false)
      await two.keepAll('c', 1, 50)
      await two.keepAll('a', 1, 50)
      await until(() => isDone(two.keep('b', '"on"')))
      await until(() => isDone(one.keep('b', '"end"')))
      for (const node of [one, two]) {
        await node.until(() => node.texts.includes('"end"'))
        expect(heard(node, 'b')).to.deep.equal([...numbers(1, 50), '"on"', '"end"'])
        for (const channel of ['a', 'c']) expect(heard(node, channel)).to.deep.equal(numbers(1, 50))
      }
      expect((await two.engine.presence.members('b')).members).to.deep.equal([{ uid: 'ann' }])
    })

    it('tells of it if the replica was behind', async () => {
      const [one, two] = await pair()
      const [master, replica] = [cluster.masters[1], cluster.replicas[1]]
      await one.keepAll('c', 1, 5)
      await master?.admin.sendCommand(['WAIT', '1', '20000'])
      // The link is cut first: what a frozen process has been sent it would read afterwards.
      replica?.process.freeze()
      await master?.admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica'])
      await one.keepAll('c', 6, 9)
      for (const node of [one, two]) await node.until(() => heard(node, 'c').length === 9)
      await master?.process.kill()
      replica?.process.wake()
      await until(() => isDone(two.keep('c', '"on"')))
      await until(() => isDone(one.keep('c', '"end"')))
      for (const node of [one, two]) {
        await node.until(() => node.texts.includes('"end"'))
        expect(heard(node, 'c')).to.deep.equal([...numbers(1, 9), '"on"', '"end"'])
        const places = node.publications.map(({ epoch, offset }) => `${epoch} ${offset}`)
        expect(new Set(places)).to.have.property('size', places.length)
        expect(node.publications.at(-1)?.epoch).to.not.equal(node.publications[0]?.epoch)
      }
    })
  })
})

describe('RedisEngine, on a cluster whose master and replica change places', function () {
  this.timeout(120_000)

  let cluster: RedisCluster
  const nodes: RedisNode[] = []

  before(async () => {
    cluster = await RedisCluster.start(1)
  })

  after(() => cluster.stop())

  afterEach(() => Promise.all(nodes.map(({ engine }) => engine.close())))

  function create(options: object = {}): RedisNode {
    const node = new RedisNode({ cluster: cluster.settings, ...options })
    nodes.push(node)
    return node
  }

  async function swap(): Promise<void> {
    const { admin } = cluster.replicas[0] as ClusterMember
    await admin.sendCommand(['CLUSTER', 'FAILOVER'])
    await until(async () => (await admin.info('replication')).includes('role:master'))
  }

  const looks = async () => {
    const members = [...cluster.masters, ...cluster.replicas]
    const stats = await Promise.all(members.map(({ admin }) => admin.info('commandstats')))
    return stats.reduce((sum, text) => sum + Number(/^cmdstat_hmget:calls=(\d+)/m.exec(text)?.[1] ?? 0), 0)
  }

  it('compares each of its channels a few times, not once for each', async () => {
    const node = create({ checkInterval: 60_000 })
    const channels = Array.from({ length: 150 }, (_, index) => `channel ${index}`)
    await node.engine.ready()
    await Promise.all(channels.map((channel) => node.engine.broker.subscribe(channel)))
    const before = await looks()
    await swap()
    const other = create()
    // What is not kept comes as soon as it is subscribed to there, and not before.
    await until(async () => {
      const missing = channels.filter((channel) => !node.texts.includes(JSON.stringify(channel)))
      for (const channel of missing)
        await isDone(other.engine.broker.publish({ channel, json: JSON.stringify(channel) }))
      return missing.length === 0
    })
    expect((await looks()) - before).to.be.below(channels.length * 12)
  })
})

describe('RedisEngine, on a cluster without sharded pub/sub', function () {
  // Failovers take some seconds, and longer on a busy machine.
  this.timeout(120_000)

  it('uses ordinary Redis channels', async () => {
    const cluster = await RedisCluster.start(0, '--rename-command', 'SPUBLISH', '')
    const options = () => ({ cluster: cluster.settings })
    const nodes = await Promise.all([RedisNode.start(options()), RedisNode.start(options())])
    const [one, two] = nodes
    try {
      for (const channel of CHANNELS) await one.engine.broker.subscribe(channel)
      for (const channel of CHANNELS) await two.keepAll(channel, 1, 5)
      await two.engine.broker.publish({ channel: 'a', json: '"not kept"' })
      await two.engine.broker.broadcast('"all"')
      await one.until(() => one.texts.length === 16 && one.broadcasts.length === 1)
      await move(cluster, 'a', 2, 0)
      await two.engine.broker.publish({ channel: 'a', json: '"moved"' })
      await two.keep('a', '6')
      await one.until(() => one.texts.includes('6'))
      expect(one.texts.slice(16)).to.deep.equal(['"moved"', '6'])
    } finally {
      await Promise.all(nodes.map(({ engine }) => engine.close()))
      await cluster.stop()
    }
  })
})

/** Moves the slot of a channel from one master to another, as `redis-cli --cluster reshard` does. */
async function move(cluster: RedisCluster, channel: string, from: number, to: number): Promise<void> {
  const [source, target] = [cluster.masters[from], cluster.masters[to]]
  if (!source || !target) throw new Error('there is no such master')
  const slot = String(await source.admin.sendCommand(['CLUSTER', 'KEYSLOT', `{${channel}}`]))
  await target.admin.sendCommand(['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.id])
  await source.admin.sendCommand(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id])
  for (;;) {
    const [key] = await source.admin.sendCommand<string[]>(['CLUSTER', 'GETKEYSINSLOT', slot, '1'])
    if (key === undefined) break
    const { port } = target.process
    await source.admin.sendCommand(['MIGRATE', '127.0.0.1', String(port), key, '0', '1000'])
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  for (const { admin } of [target, source, ...cluster.masters])
    await admin.sendCommand(['CLUSTER', 'SETSLOT', slot, 'NODE', target.id])
}

/** A master and its replica, and sentinels that put one in the place of the other. */
import { expect } from 'chai'
import { createClient } from 'redis'
import { isNext } from '#server/engine/epoch.js'
import { freePort } from '../ports.js'
import { exercise } from './exercise.js'
import { isDone, until } from './redis-cluster.js'
import { numbers, RedisNode } from './redis-node.js'
import { type Admin, RedisProcess } from './redis-process.js'
import { SentinelProcess } from './sentinel-process.js'

const ANN = { channel: 'a', sid: 's', uid: 'ann' }

describe('RedisEngine, behind Sentinel', function () {
  // Failovers take some seconds, and longer on a busy machine.
  this.timeout(120_000)

  let master: RedisProcess
  let replica: RedisProcess
  let sentinels: SentinelProcess[]
  let admin: Admin
  const nodes: RedisNode[] = []

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ engine }) => engine.close()))
    await Promise.all([...sentinels, master, replica].map((process) => process.stop()))
  })

  /** Starts all of it. @param count sentinels */
  async function watch(count: number): Promise<void> {
    master = await RedisProcess.start('--repl-diskless-sync-delay', '0')
    admin = await master.admin()
    replica = await RedisProcess.start('--replicaof', '127.0.0.1', String(master.port))
    await until(async () => (await admin.info('replication')).includes('state=online'))
    const quorum = Math.ceil(count / 2)
    const started = Array.from({ length: count }, () => SentinelProcess.start(master.port, quorum))
    sentinels = await Promise.all(started)
    for (const { port } of sentinels)
      await until(async () => (await askSentinel(port)).includes(`slaves=1,sentinels=${count}`))
  }

  /** Two nodes that hear a channel. Their settings name a sentinel that is gone, too. */
  async function pair(options: object = {}): Promise<[RedisNode, RedisNode]> {
    const ports = [await freePort(), ...sentinels.map(({ port }) => port)]
    const sentinelRootNodes = ports.map((port) => ({ host: '127.0.0.1', port }))
    const start = () => RedisNode.start({ sentinel: { name: 'main', sentinelRootNodes }, ...options })
    const made: [RedisNode, RedisNode] = [await start(), await start()]
    nodes.push(...made)
    for (const { engine } of made) await engine.broker.subscribe('a')
    return made
  }

  it('goes on with the replica when the master dies, and nothing is lost or doubled', async () => {
    await watch(3)
    const [one, two] = await pair()
    await one.engine.presence.enter(ANN, 10)
    await one.keepAll('a', 1, 50)
    for (const node of [one, two]) await node.until(() => node.texts.length === 50)
    sentinels[0]?.freeze()
    await master.kill()
    await two.untilLogged('Redis is away')
    await until(() => isDone(two.keep('a', '"on"')))
    await until(() => isDone(one.keep('a', '"end"')))
    for (const node of [one, two]) {
      await node.until(() => node.texts.includes('"end"'))
      expect(node.texts).to.deep.equal([...numbers(1, 50), '"on"', '"end"'])
      expect(node.publications.map(({ offset }) => offset)).to.deep.equal(numbers(1, 52).map(Number))
    }
    expect((await two.engine.presence.members('a')).members).to.deep.equal([{ uid: 'ann' }])
  })

  it('tells of it if the replica was behind, and of what was seen empty', async () => {
    await watch(1)
    const [one, two] = await pair()
    await one.keepAll('a', 1, 5)
    await admin.sendCommand(['WAIT', '1', '1000'])
    const empty = await one.engine.history.position('b')
    // The link is cut first: what a frozen process has been sent it would read afterwards.
    replica.freeze()
    await admin.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica'])
    await one.keepAll('a', 6, 9)
    await one.keep('b', '"lost"')
    for (const node of [one, two]) await node.until(() => node.texts.length === 9)
    await master.kill()
    replica.wake()
    await until(() => isDone(two.keep('a', '"on"')))
    await until(() => isDone(one.keep('a', '"end"')))
    for (const node of [one, two]) {
      await node.until(() => node.texts.includes('"end"'))
      expect(node.texts).to.deep.equal([...numbers(1, 9), '"on"', '"end"'])
      const places = node.publications.map(({ epoch, offset }) => `${epoch} ${offset}`)
      expect(new Set(places)).to.have.property('size', places.length)
      expect(node.publications.at(-1)?.epoch).to.not.equal(node.publications[0]?.epoch)
    }
    const { epoch = '' } = await two.keep('b', '"new"')
    expect(isNext(empty.epoch, epoch)).to.equal(false)
  })

  it('goes to the new master at once, though the old one does not know yet that it is a replica', async () => {
    await watch(1)
    const [one, two] = await pair({ checkInterval: 60_000 })
    await one.keepAll('a', 1, 5)
    await admin.sendCommand(['WAIT', '1', '1000'])
    // A sentinel that has just begun does not know yet that the replica is well.
    await until(() => isDone(askSentinel(sentinels[0]?.port ?? 0, 'SENTINEL', 'FAILOVER', 'main')))
    const other = await replica.admin()
    // Sentinels have names. Besides the nodes' two connections each there is the one that asks.
    const isNodes = (line: string) => / name= /.test(line)
    await until(async () => {
      // The one that asks is cut off, too, when the replica is made the master.
      const list = await other.sendCommand<string>(['CLIENT', 'LIST']).catch(() => '')
      return list.split('\n').filter(isNodes).length === 5
    })
    await until(() => isDone(one.keep('a', '"end"')))
    expect(await admin.info('replication')).to.include('role:master')
    const entries = await other.sendCommand(['XRANGE', 'token-socket:{a}:publications:log', '-', '+'])
    expect(String(entries)).to.include('"end"')
    for (const node of [one, two]) {
      await node.until(() => node.texts.includes('"end"'))
      expect(node.texts).to.deep.equal([...numbers(1, 5), '"end"'])
    }
    await exercise(one.engine, two.engine)
  })
})

/** What a sentinel says, as text. */
async function askSentinel(port: number, ...command: string[]): Promise<string> {
  const asking = createClient({ url: `redis://127.0.0.1:${port}`, RESP: 2 }).on('error', () => {})
  await asking.connect()
  const answer = await asking.sendCommand(command.length > 0 ? command : ['INFO', 'sentinel'])
  asking.destroy()
  return String(answer)
}

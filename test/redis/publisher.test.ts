/** A process that only publishes, beside two nodes on one Redis: the example of docs/CLUSTER.md, and what it promises. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RedisEngine } from '@token-socket/redis'
import { type Publisher, publisher } from '@token-socket/server'
import { expect } from 'chai'
import { Site, until } from '../end-to-end/fixture.js'
import { rejection } from '../protocol/rejection.js'
import { RedisProcess } from './redis-process.js'

const root = new URL('../..', import.meta.url).pathname
const document = await readFile(join(root, 'docs/CLUSTER.md'), 'utf8')
const SECRET = 'of the tests, 32 bytes long or more'
const CHANNELS = { 'orders-*': { subscribe: true, history: { size: 100, ttl: 86_400_000 } } }
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

describe('a publisher on Redis', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  let sites: readonly [Site, Site]
  const publishers: Publisher[] = []

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  beforeEach(async () => {
    sites = await Promise.all([start(), start()])
  })

  afterEach(async () => {
    await Promise.all(publishers.splice(0).map((one) => one.close()))
    await Promise.all(sites.map((site) => site.stop()))
    await (await redis.admin()).flushAll()
  })

  async function start(): Promise<Site> {
    const engine = new RedisEngine({ url: redis.url })
    await engine.ready()
    return Site.start({ engine, secret: SECRET, channels: CHANNELS })
  }

  function open(engine = new RedisEngine({ url: redis.url })): Publisher {
    const made = publisher({ engine, channels: CHANNELS, logger: SILENT })
    publishers.push(made)
    return made
  }

  /** The data of what a client of each node receives. */
  async function listeners(channel: string): Promise<unknown[][]> {
    return Promise.all(
      sites.map(async (site) => {
        const heard: unknown[] = []
        const client = await site.ready()
        client.on('message', (_channel, data) => heard.push(data))
        await client.subscribe(channel)
        return heard
      }),
    )
  }

  /** Runs the document's example. @returns what it printed, once its process has ended by itself */
  async function runExample(): Promise<string> {
    const code = /```js publish.mjs\n(.*?)```/s.exec(document)?.[1] ?? ''
    const folder = await mkdtemp(join(root, 'node_modules/.publisher-'))
    const file = join(folder, 'publish.mjs')
    await writeFile(file, code)
    const args = ['--conditions=@token-socket/source', '--import=tsx', file]
    const env = { PATH: process.env.PATH, REDIS_URL: redis.url }
    const child = spawn(process.execPath, args, { env, cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
    expect(await once(child, 'close')).to.deep.equal([0, null])
    await rm(folder, { recursive: true })
    return output
  }

  it('in a process of its own reaches the clients of every node, is kept, and ends', async () => {
    const heard = await listeners('orders-7')
    expect(await runExample()).to.equal('published as number 1 of 1\n')
    await until(() => heard.every((list) => list.length === 1))
    expect(heard).to.deep.equal([[{ paid: true }], [{ paid: true }]])
    const { publications } = await sites[0].sockets.history('orders-7')
    expect(publications.map(({ event, offset }) => [event, offset])).to.deep.equal([['paid', 1]])
    // The same key in another process, and on a server.
    expect(await runExample()).to.equal('published as number 1 of 1\n')
    const again = await sites[1].sockets.publish('orders-7', 0, { idempotencyKey: 'payment-12' })
    expect(again.offset).to.equal(1)
  })

  it('counts on in the epoch of the channel', async () => {
    const first = await sites[0].sockets.publish('orders-7', 1)
    const second = await open().publish('orders-7', 2)
    expect(second).to.include({ epoch: first.epoch, offset: 2 })
  })

  it('broadcasts, and names the members', async () => {
    const heard = await listeners('orders-7')
    const own = open()
    await own.broadcast('all')
    await until(() => heard.every((list) => list.length === 1))
    expect(await own.members('orders-7')).to.deep.equal([])
  })

  for (const [when, isReady] of [
    ['before it is connected', false],
    ['after it was a node', true],
  ] as const) {
    it(`is no node, if it is made ${when}`, async () => {
      const engine = new RedisEngine({ url: redis.url })
      if (isReady) await engine.ready()
      const own = open(engine)
      await own.publish('orders-7', 1)
      const ids = sites.map(({ sockets }) => sockets.cluster.node)
      expect(await sites[0].sockets.cluster.nodes()).to.have.members(ids)
      expect(await engine.nodes.list()).to.have.members(ids)
      expect(await sites[0].sockets.cluster.count()).to.deep.equal({ count: 0, missing: [] })
    })
  }

  it('refuses the engine of a server, whose node stays', async () => {
    const engine = new RedisEngine({ url: redis.url })
    await engine.ready()
    const site = await Site.start({ engine, secret: SECRET })
    expect(() => publisher({ engine })).to.throw(/engine is a server's already/)
    expect(await sites[0].sockets.cluster.nodes()).to.include(site.sockets.cluster.node)
    await site.stop()
  })

  it('fails once it is closed', async () => {
    const own = open()
    await own.close()
    expect((await rejection(own.publish('orders-7', 1))).code).to.equal('shutting_down')
  })
})

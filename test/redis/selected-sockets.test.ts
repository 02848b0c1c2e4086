import { RedisEngine } from '@token-socket/redis'
import { expect } from 'chai'
import { Site, type SiteOptions, until } from '../end-to-end/fixture.js'
import { describeSelectedSockets } from '../end-to-end/selected-sockets.js'
import { rejection } from '../protocol/rejection.js'
import { NodeProcess } from './node-process.js'
import { RedisProcess } from './redis-process.js'

/** What the tests do to Redis and to nodes is no news. */
const QUIET = { info: () => {}, warn: () => {} }

describe('selected sockets, on two nodes', function () {
  this.timeout(120_000)
  let redis: RedisProcess
  const sites: Site[] = []
  const engines: RedisEngine[] = []
  let made = 0

  before(async () => {
    redis = await RedisProcess.start()
  })

  after(() => redis.stop())

  afterEach(async () => {
    await Promise.all(sites.splice(0).map((site) => site.stop()))
    await Promise.all(engines.splice(0).map((engine) => engine.close()))
  })

  const engineOf = async (prefix: string, url = redis.url) => {
    const engine = new RedisEngine({ url, prefix, lease: 3000, logger: QUIET })
    await engine.ready()
    return engine
  }

  const start = async (options: SiteOptions, prefix: string, url?: string) => {
    const site = await Site.start({ engine: await engineOf(prefix, url), ...options })
    sites.push(site)
    return site
  }

  describeSelectedSockets(async (options) => {
    const prefix = `${++made}:`
    return [await start(options, prefix), await start(options, prefix)]
  })

  const options: SiteOptions = {
    authentication: ({ query }: { query: Record<string, unknown> }) => ({ uid: query.uid }),
    secret: 'of the tests, 32 bytes long or more',
    limits: { callTimeout: 2000 },
  }

  const connect = (site: Site, uid = 'ann') => site.pair({ authentication: { uid }, reconnect: false })

  it('of an older node, which does not know these questions, are missing', async () => {
    const prefix = `${++made}:`
    const here = await start(options, prefix)
    await connect(here)
    const old = await engineOf(prefix)
    engines.push(old)
    const known = ['find', 'count', 'disconnect', 'disconnectSession', 'call', 'subscribe', 'unsubscribe']
    old.nodes.serve(async (question) => {
      const { type } = JSON.parse(question) as { readonly type: string }
      if (!known.includes(type)) throw new Error('bad_message')
      return '1'
    })
    const { cluster } = here.sockets
    const missing = [old.nodes.id]
    expect(await cluster.count()).to.deep.equal({ count: 2, missing: [] })
    expect(await cluster.count({ channel: 'news' })).to.deep.equal({ count: 1, missing: [] })
    expect(await cluster.count({ uid: 'ann' })).to.deep.equal({ count: 1, missing })
    expect(await cluster.emit('cache')).to.deep.equal({ count: 0, missing })
    expect((await cluster.sockets()).missing).to.deep.equal(missing)
    const subscribed = { count: 1, failed: 0, reasons: [], missing }
    expect(await cluster.subscribe({ uid: 'ann' }, 'news')).to.deep.equal(subscribed)
    expect(await cluster.unsubscribe({ uid: 'ann' }, 'news')).to.deep.equal({ count: 1, missing })
    expect(await cluster.disconnect({ where: { uid: 'bob' } })).to.deep.equal({ count: 0, missing })
    expect(await cluster.disconnect({ uid: 'ann' })).to.deep.equal({ count: 2, missing: [] })
  })

  it('of a node that is stopped are missing', async () => {
    const prefix = `${++made}:`
    const here = await start(options, prefix)
    await connect(here)
    const silent = await NodeProcess.start({ url: redis.url, prefix, lease: 3000 })
    try {
      const { cluster } = here.sockets
      const [node] = (await cluster.nodes()).filter((id) => id !== cluster.node)
      silent.signal('SIGSTOP')
      const [subscribed, page, emitted] = await Promise.all([
        cluster.subscribe({ uid: 'ann' }, 'news'),
        cluster.sockets({ uid: 'ann' }),
        cluster.emit('cache'),
      ])
      expect(subscribed).to.deep.equal({ count: 1, failed: 0, reasons: [], missing: [node] })
      expect([page.sockets.length, page.missing]).to.deep.equal([1, [node]])
      expect(emitted).to.deep.equal({ count: 0, missing: [node] })
    } finally {
      await silent.kill()
    }
  })

  it('are refused while Redis is away; those of this node are served', async () => {
    const own = await RedisProcess.start()
    try {
      const here = await start(options, '', own.url)
      const { socket } = await connect(here)
      await socket.subscribe('news')
      await own.kill()
      const { cluster } = here.sockets
      await until(() => here.sockets.health().status === 'degraded')
      for (const ask of [
        () => cluster.count({ uid: 'ann' }),
        () => cluster.sockets(),
        () => cluster.unsubscribe({ uid: 'ann' }, 'news'),
        () => cluster.emit('cache'),
      ])
        expect((await rejection(ask())).code).to.equal('engine_unavailable')
      expect(socket.channels).to.deep.equal([])
      const { sid } = socket
      expect(await cluster.count({ sid })).to.deep.equal({ count: 1, missing: [] })
      expect((await rejection(cluster.subscribe({ uid: 'ann' }, 'chat'))).code).to.equal('engine_unavailable')
      expect((await rejection(cluster.disconnect({ where: { uid: 'ann' } }))).code).to.equal(
        'engine_unavailable',
      )
      await until(() => here.sockets.sockets().length === 0)
    } finally {
      await own.stop()
    }
  })
})

import { type Engine, HealthMonitor, MemoryEngine, RpcError, type ServerHealth } from '@token-socket/server'
import { expect } from 'chai'
import { Site, type SiteOptions, useSites } from './fixture.js'

/** An engine whose health a test decides. */
class AilingEngine extends MemoryEngine {
  readonly health = new HealthMonitor()
}

describe('the health route', () => {
  const start = useSites()

  const ask = (site: Site, path = '/sockets/health', init: RequestInit = {}) =>
    fetch(`${site.url}${path}`, init)
  const statusOf = async (site: Site) => {
    const response = await ask(site)
    const { status } = (await response.json()) as ServerHealth
    return [response.status, status]
  }

  it('answers JSON that nobody may keep, and says nothing else', async () => {
    const before = Date.now()
    const site = await start()
    const response = await ask(site)
    expect(response.status).to.equal(200)
    expect(response.headers.get('cache-control')).to.equal('no-store')
    expect(response.headers.get('content-type')).to.match(/^application\/json/)
    const health = (await response.json()) as ServerHealth
    expect(health).to.have.all.keys('status', 'engine', 'since')
    expect(health).to.include({ status: 'ok', engine: 'memory' })
    expect(health.since).to.be.within(before, Date.now())
    expect(health).to.deep.equal(site.sockets.health())
  })

  it('answers HEAD without a body, and no other method', async () => {
    const site = await start()
    const head = await ask(site, undefined, { method: 'HEAD' })
    expect([head.status, await head.text()]).to.deep.equal([200, ''])
    const post = await ask(site, undefined, { method: 'POST' })
    expect([post.status, post.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD'])
  })

  it('stands before the application, whose sessions may be what is away', async () => {
    const prepare: SiteOptions['prepare'] = (app) =>
      app.use((request, _response, next) =>
        next(request.path.endsWith('/health') && new Error('no sessions')),
      )
    const site = await start({ prepare })
    expect(await statusOf(site)).to.deep.equal([200, 'ok'])
  })

  it('is where the option says, and leaves its old place and what is near to the others', async () => {
    const site = await start({ healthRoute: '/healthz', prefix: '/ws' })
    site.app.get('/healthz/deep', (_request, response) => void response.send('mine'))
    expect((await ask(site, '/healthz?verbose')).status).to.equal(200)
    expect((await ask(site, '/ws/health')).status).to.equal(404)
    expect(await (await ask(site, '/healthz/deep')).text()).to.equal('mine')
    await site.sockets.shutdown()
    expect((await ask(site, '/healthz')).status).to.equal(503)
  })

  it('is nowhere if it is not wanted', async () => {
    const site = await start({ healthRoute: false })
    expect((await ask(site)).status).to.equal(404)
    expect(site.sockets.health()).to.include({ status: 'ok' })
  })

  it('follows the prefix', async () => {
    const site = await start({ prefix: '/ws' })
    expect((await ask(site, '/ws/health')).status).to.equal(200)
  })

  for (const healthRoute of [
    '/sockets',
    '/sockets/info',
    '/sockets/websocket',
    '/sockets/iframe.html',
    '/sockets/token-socket.min.js',
    '/sockets/000/abc/xhr',
    '/socket/token',
    'health',
    '/health/',
    '',
    true,
  ]) {
    it(`cannot be ${JSON.stringify(healthRoute)}`, async () => {
      const error = await Site.start({ healthRoute: healthRoute as string }).catch((cause) => cause)
      expect(RpcError.is(error) && error.data).to.deep.equal({ field: 'healthRoute' })
    })
  }

  it('says degraded with 200 while the engine is, and sockets go on', async () => {
    const engine: AilingEngine & Engine = new AilingEngine()
    const site = await start({ engine })
    const heard: string[] = []
    site.sockets.on('health', ({ status }) => heard.push(status))
    const client = await site.ready()
    engine.health.set('disk', 'the disk at /secret/path is full')
    expect(await statusOf(site)).to.deep.equal([200, 'degraded'])
    expect(await client.rpc('echo', 1)).to.equal(1)
    engine.health.set('disk', undefined)
    expect(await statusOf(site)).to.deep.equal([200, 'ok'])
    expect(heard).to.deep.equal(['degraded', 'ok'])
    const lines = site.log.filter(({ message }) => message.startsWith('the engine'))
    expect(lines.map(({ level, message }) => [level, message])).to.deep.equal([
      ['warn', 'the engine is degraded'],
      ['info', 'the engine is well again'],
    ])
    expect(lines[0]?.details).to.include({ reason: 'the disk at /secret/path is full' })
  })

  it('says 503 from the moment at which the shutdown began', async () => {
    const engine = new AilingEngine()
    const site = await start({ engine })
    const heard: string[] = []
    site.sockets.on('health', ({ status }) => heard.push(status))
    let closed = () => {}
    engine.close = () =>
      new Promise<void>((resolve) => {
        closed = resolve
      })
    const done = site.sockets.shutdown()
    expect(await statusOf(site)).to.deep.equal([503, 'shutting_down'])
    closed()
    await done
    engine.health.set('disk', 'full')
    expect(await statusOf(site)).to.deep.equal([503, 'shutting_down'])
    expect(heard).to.deep.equal(['shutting_down'])
  })

  it('is not harmed by a listener that throws', async () => {
    const engine = new AilingEngine()
    const site = await start({ engine })
    site.sockets.on('health', () => {
      throw new Error('of a listener')
    })
    engine.health.set('disk', 'full')
    expect(await statusOf(site)).to.deep.equal([200, 'degraded'])
    expect(site.failures.map(({ cause }) => String(cause))).to.deep.equal(['Error: of a listener'])
  })
})

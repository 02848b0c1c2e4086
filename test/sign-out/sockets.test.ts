/** The sources of sign-outs with real servers and clients, on two nodes with Redis. */
import {
  backChannelLogout,
  type ExpressSessionOptions,
  expressSession,
  sharedSignals,
} from '@token-socket/sign-out'
import { expect } from 'chai'
import express from 'express'
import session from 'express-session'
import { next, until, useSites } from '../end-to-end/fixture.js'
import { Browser, Nodes, type Prepare, revoked } from './nodes.js'
import { Provider } from './provider.js'

describe('sockets whose session ends', function () {
  this.timeout(120_000)
  let nodes: Nodes

  before(async () => {
    nodes = await Nodes.start()
  })

  afterEach(() => nodes.clear())

  after(() => nodes.stop())

  const start = async (options: ExpressSessionOptions = {}, maxAge = 60_000) => {
    const prepare: Prepare = (app, store) => {
      const cookie = { maxAge }
      app.use(session({ secret: 's', resave: false, saveUninitialized: false, rolling: true, store, cookie }))
      app.post('/sign-in', (request, response) => {
        Object.assign(request.session, { auth: { uid: 'ann' }, roles: ['reader'] })
        response.send('welcome')
      })
      app.post('/promote', (request, response) => {
        Object.assign(request.session, { roles: ['editor'] })
        response.send('promoted')
      })
      app.post('/regenerate', (request, response) => {
        request.session.regenerate(() => {
          Object.assign(request.session, { auth: { uid: 'ann' } })
          response.send('another')
        })
      })
    }
    const authentication = async (request: { session: { auth?: object } }) => request.session.auth
    const [a, b] = await nodes.two(prepare, { authentication: authentication as never })
    for (const { site, store } of [a, b]) expressSession(site.sockets, store, options)
    const browser = new Browser(a.site)
    await browser.send('/sign-in')
    const client = await b.site.ready({ headers: browser.headers })
    return { a, b, browser, client }
  }

  it('are closed when the store has forgotten it', async () => {
    const { b, client, browser } = await start({}, 300)
    await revoked(client)
    await until(() => b.site.sockets.sockets().length === 0)
    expect((await b.site.askToken({ headers: browser.headers })).status).to.equal(403)
  })

  for (const onregenerate of ['revoke', 'refresh'] as const) {
    it(`go on with the session that replaces it, by ${onregenerate}`, async () => {
      const { b, client, browser } = await start({ onregenerate })
      const [socket] = b.site.sockets.sockets()
      const changed = next(client, onregenerate === 'refresh' ? 'refreshed' : 'reconnect')
      await browser.send('/regenerate')
      await changed
      const [later] = b.site.sockets.sockets()
      expect(later?.sid === socket?.sid).to.equal(onregenerate === 'refresh')
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  }

  it('have new tokens when `watch` sees other rights', async () => {
    const { client, browser } = await start({ watch: ({ roles }) => roles })
    const refreshed = next(client, 'refreshed')
    await browser.send('/promote')
    await refreshed
    expect(await client.rpc('echo', 1)).to.equal(1)
  })
})

describe('a logout while Redis is away', function () {
  this.timeout(120_000)
  let nodes: Nodes
  let provider: Provider

  before(async () => {
    nodes = await Nodes.start()
    provider = await Provider.start()
  })

  after(() => Promise.all([nodes.stop(), provider.stop()]))

  it('closes this node’s sockets, is answered 503, and may come again', async () => {
    const [a] = await nodes.two(() => {}, { authentication: async () => ({ uid: 'ann' }) })
    a.site.app.post('/logout', backChannelLogout(a.site.sockets, provider.options))
    const client = await a.site.ready()
    const body = new URLSearchParams({ logout_token: await provider.logoutToken() })
    const post = async () => (await fetch(`${a.site.url}/logout`, { method: 'POST', body })).status
    await nodes.kill()
    const closed = revoked(client)
    expect(await post()).to.equal(503)
    await closed
    await nodes.restart()
    await a.site.sockets.cluster.nodes().catch(() => {})
    await until(() => a.site.sockets.health().status === 'ok')
    expect(await post()).to.equal(200)
    expect(await post()).to.equal(400)
    expect(a.site.failures.length).to.be.greaterThan(0)
  })
})

describe('the failures of a source', () => {
  const start = useSites()

  it('reach the log and the error event of the server', async () => {
    const site = await start()
    const app = express()
    const failure = new Error('the database is away')
    const options = { issuer: 'i', audience: 'a', jwks: { keys: [] } }
    backChannelLogout(site.sockets, options)
    const store = new session.MemoryStore()
    expressSession(site.sockets, store, {
      watch: () => {
        throw failure
      },
    })
    app.use(session({ secret: 's', resave: true, saveUninitialized: true, store }))
    site.app.use(app)
    await fetch(`${site.url}/page`)
    await until(() => site.failures.length > 0)
    expect(site.failures[0]).to.deep.equal({ cause: failure, details: { step: 'expressSession' } })
    expect(site.log.some(({ details }) => details.step === 'expressSession')).to.equal(true)
  })
})

describe('what is no server', () => {
  for (const sockets of [undefined, {}, { cluster: {} }, express()]) {
    it(`is refused: ${typeof sockets} ${Object.keys(Object(sockets)).slice(0, 1)}`, () => {
      const options = { issuer: 'i', audience: 'a', jwks: { keys: [] } }
      const makes = [
        () => backChannelLogout(sockets as never, options),
        () => sharedSignals(sockets as never, options),
        () => expressSession(sockets as never, new session.MemoryStore()),
      ]
      for (const make of makes) expect(make).to.throw('sockets').with.property('code', 'bad_option')
    })
  }
})

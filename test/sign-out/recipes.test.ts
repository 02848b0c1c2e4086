/** The recipes of docs/AUTHORISATION.md for signing out, as they are written, on two nodes with Redis. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import session from 'express-session'
import passport from 'passport'
import { next, type Site, until } from '../end-to-end/fixture.js'
import { Browser, Nodes, type Prepare, revoked } from './nodes.js'
import { Provider } from './provider.js'
import type { RedisStore } from './redis-store.js'

const root = new URL('../..', import.meta.url).pathname

interface Recipe {
  prepare(app: unknown, store: RedisStore, passport?: unknown): void
  follow(sockets: TokenSocketServer, store: RedisStore): () => void
  readonly authentication: never
}

interface RouteRecipe {
  follow(parts: object): void
  remember(request: object, claims: object): void
  readonly authentication: never
}

const REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
const CHANGED = 'https://schemas.openid.net/secevent/caep/event-type/token-claims-change'

describe('docs/AUTHORISATION.md, signing out', function () {
  this.timeout(120_000)
  let nodes: Nodes
  let provider: Provider
  let folder: string
  const load = async <T>(name: string) => (await import(join(folder, `${name}.mjs`))) as T

  before(async () => {
    nodes = await Nodes.start()
    provider = await Provider.start()
    folder = await mkdtemp(join(root, 'node_modules/.recipes-'))
    const document = await readFile(join(root, 'docs/AUTHORISATION.md'), 'utf8')
    for (const [, name = '', code = ''] of document.matchAll(/```js ([\w-]+\.mjs)\n([\s\S]*?)```/g))
      await writeFile(join(folder, name), code)
  })

  afterEach(() => nodes.clear())

  after(async () => {
    await rm(folder, { recursive: true, force: true })
    await Promise.all([nodes.stop(), provider.stop()])
  })

  /** The client comes back as often as it likes: there is no token for it. */
  const isOut = async ({ headers }: Browser, site: Site) => {
    await until(() => site.sockets.sockets().length === 0)
    expect((await site.askToken({ headers })).status).to.equal(403)
  }

  it('express-session: closes the sockets of the session on the other node, and no others', async () => {
    const recipe = await load<Recipe>('express-session')
    const [a, b] = await nodes.two(recipe.prepare, { authentication: 'auth' })
    for (const { site, store } of [a, b]) recipe.follow(site.sockets, store)
    const [ann, other] = [new Browser(a.site), new Browser(a.site)]
    for (const browser of [ann, other]) expect(await browser.send('/sign-in')).to.equal('welcome')
    const client = await b.site.ready({ headers: ann.headers })
    const left = await b.site.ready({ headers: other.headers })
    const closed = revoked(client)
    expect(await ann.send('/sign-out')).to.equal('bye')
    await closed
    await until(() => b.site.sockets.sockets().length === 1)
    expect(await left.rpc('echo', 1)).to.equal(1)
    expect((await b.site.askToken({ headers: ann.headers })).status).to.equal(403)
  })

  it('Passport: the same', async () => {
    const recipe = await load<Recipe>('passport')
    const authenticator = new passport.Passport()
    authenticator.use({
      name: 'local',
      authenticate(this: { success(user: object): void }) {
        this.success({ id: 'ann' })
      },
    })
    authenticator.serializeUser((user, done) => done(null, user))
    authenticator.deserializeUser((user, done) => done(null, user))
    const prepare: Prepare = (app, store) => recipe.prepare(app, store, authenticator)
    const [a, b] = await nodes.two(prepare, { authentication: recipe.authentication })
    for (const { site, store } of [a, b]) recipe.follow(site.sockets, store)
    const browser = new Browser(a.site)
    expect(await browser.send('/sign-in')).to.equal('welcome')
    const client = await b.site.ready({ headers: browser.headers })
    const closed = revoked(client)
    expect(await browser.send('/sign-out')).to.equal('bye')
    await closed
    await isOut(browser, b.site)
  })

  it('everywhere: ends all sessions of a user, and closes the sockets', async () => {
    const recipe = await load<{ signOutEverywhere(parts: object, uid: string): Promise<unknown> }>(
      'everywhere',
    )
    const ids: string[] = []
    const prepare: Prepare = (app, store) => {
      app.use(session({ secret: 's', resave: false, saveUninitialized: false, store }))
      app.post('/sign-in', (request, response) => {
        Object.assign(request.session, { auth: { uid: 'ann' } })
        ids.push(request.sessionID)
        response.send('welcome')
      })
    }
    const authentication = async (req: object) => (req as { session: { auth?: object } }).session.auth
    const [a, b] = await nodes.two(prepare, { authentication: authentication as never })
    const browsers = [new Browser(a.site), new Browser(a.site)]
    for (const browser of browsers) await browser.send('/sign-in')
    const clients = await Promise.all(browsers.map(({ headers }) => b.site.ready({ headers })))
    const closed = Promise.all(clients.map((client) => revoked(client)))
    await recipe.signOutEverywhere(
      { sockets: a.site.sockets, store: a.store, sessionsOf: async () => ids },
      'ann',
    )
    await closed
    for (const browser of browsers) await isOut(browser, b.site)
  })

  describe('OpenID providers', () => {
    const start = async () => {
      const recipe = await load<RouteRecipe>('openid')
      const prepare: Prepare = (app, store) => {
        app.use(session({ secret: 's', resave: false, saveUninitialized: false, store }))
        app.post('/login/:sub/:sid', (request, response) => {
          recipe.remember(request, request.params)
          response.send('welcome')
        })
      }
      const pair = await nodes.two(prepare, { authentication: recipe.authentication })
      for (const { site, store } of pair)
        recipe.follow({ app: site.app, sockets: site.sockets, store, ...provider.options })
      return pair
    }

    const post = async (site: Site, token: string) => {
      const body = new URLSearchParams({ logout_token: token })
      return (await fetch(`${site.url}/logout/backchannel`, { method: 'POST', body })).status
    }

    it('what is no POST is answered 405', async () => {
      const [{ site }] = await start()
      expect((await fetch(`${site.url}/logout/backchannel`)).status).to.equal(405)
    })

    it('a token with `sid` ends one login, on all nodes', async () => {
      const [a, b] = await start()
      const [phone, laptop] = [new Browser(a.site), new Browser(a.site)]
      await phone.send('/login/ann/phone')
      await laptop.send('/login/ann/laptop')
      const client = await b.site.ready({ headers: phone.headers })
      const other = await b.site.ready({ headers: laptop.headers })
      const closed = revoked(client)
      const token = await provider.logoutToken({ claims: { sid: 'phone' } })
      expect(await post(a.site, token)).to.equal(200)
      await closed
      await until(() => b.site.sockets.sockets().length === 1)
      expect(await other.rpc('echo', 1)).to.equal(1)
      expect(await post(b.site, token), 'replayed on the other node').to.equal(400)
    })

    it('a token with `sub` alone ends all of them', async () => {
      const [a, b] = await start()
      const [phone, laptop] = [new Browser(a.site), new Browser(a.site)]
      await phone.send('/login/bob/one')
      await laptop.send('/login/bob/two')
      await b.site.ready({ headers: phone.headers })
      await a.site.ready({ headers: laptop.headers })
      const token = await provider.logoutToken({ claims: { sub: 'bob' } })
      expect(await post(a.site, token)).to.equal(200)
      await until(() => [a, b].every(({ site }) => site.sockets.sockets().length === 0))
    })

    it('a forged token does nothing', async () => {
      const [a, b] = await start()
      const browser = new Browser(a.site)
      await browser.send('/login/ann/tablet')
      const client = await b.site.ready({ headers: browser.headers })
      const [header, claims] = (await provider.logoutToken()).split('.')
      expect(await post(a.site, `${header}.${claims}.forged`)).to.equal(400)
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  })

  describe('Shared Signals', () => {
    const start = async () => {
      const recipe = await load<RouteRecipe>('signals')
      const authentication = async () => ({ uid: 'ann' })
      const pair = await nodes.two(() => {}, { authentication })
      const usersByEmail = new Map([['ann@example.com', 'ann']])
      for (const { site } of pair)
        recipe.follow({ app: site.app, sockets: site.sockets, usersByEmail, ...provider.options })
      const send = async (type: string, claims: object = {}) => {
        const body = await provider.securityEvent(type, { claims: { ...claims } })
        const headers = { 'content-type': 'application/secevent+jwt' }
        return (await fetch(`${pair[0].site.url}/signals`, { method: 'POST', body, headers })).status
      }
      return { site: pair[1].site, send }
    }

    it('session-revoked closes sockets on the other node', async () => {
      const { site, send } = await start()
      const client = await site.ready()
      const closed = revoked(client)
      const sub_id = { format: 'email', email: 'ann@example.com' }
      expect(await send(REVOKED, { sub_id })).to.equal(202)
      await closed
    })

    it('token-claims-change has clients fetch new tokens on the open socket', async () => {
      const { site, send } = await start()
      const client = await site.ready()
      const refreshed = next(client, 'refreshed')
      expect(await send(CHANGED)).to.equal(202)
      await refreshed
      expect(await client.rpc('echo', 1)).to.equal(1)
    })
  })
})

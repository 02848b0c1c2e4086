/** What a server gives back, so that others can be made on the same application and HTTP server. */
import { mkdtempSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TokenSocket } from '@token-socket/client'
import { lmdbEngine } from '@token-socket/lmdb'
import {
  MemoryEngine,
  type RpcError,
  TokenSocketServer,
  type TokenSocketServerOptions,
} from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express } from 'express'
import { deferred } from '../end-to-end/fixture.js'
import { thrownBy } from '../protocol/rejection.js'
import { EXPRESS_VERSIONS } from './applications.js'

const SECRET = 's'.repeat(32)
const logger = { debug() {}, info() {}, warn() {}, error() {} }

describe('TokenSocketServer#shutdown', () => {
  const servers: TokenSocketServer[] = []
  const https: Server[] = []

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.shutdown()))
    for (const http of https.splice(0)) {
      http.closeAllConnections()
      http.close()
    }
  })

  function make(
    app: Express,
    http: Server,
    options: Partial<TokenSocketServerOptions> = {},
  ): TokenSocketServer {
    const authentication = () => ({ uid: 'ann' })
    const socketController = { echo: (_auth: unknown, data: unknown) => data }
    const server = new TokenSocketServer({
      ...{ app, server: http, secret: SECRET, logger, authentication, socketController },
      ...options,
    })
    servers.push(server)
    return server
  }

  async function listen(app: Express): Promise<Server> {
    const http = createServer(app)
    https.push(http)
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return http
  }

  const urlOf = (http: Server) => `http://127.0.0.1:${(http.address() as AddressInfo).port}`

  /** Fails unless clients are served. */
  async function serves(
    http: Server,
    options: { tokenPath?: string; socketPrefix?: string } = {},
  ): Promise<void> {
    const client = new TokenSocket({ host: urlOf(http), reconnect: false, ...options })
    expect(await client.rpc('echo', 'hi')).to.equal('hi')
    await client.end()
  }

  /** The option that a second server is refused for. */
  function refusedFor(app: Express, http: Server, options: Partial<TokenSocketServerOptions> = {}): unknown {
    const error = thrownBy(() => make(app, http, options)) as RpcError
    expect(error.code, String(error)).to.equal('bad_option')
    return (error.data as { field: string }).field
  }

  for (const { name, make: makeApp } of EXPRESS_VERSIONS) {
    it(`gives back listeners and routes (${name})`, async () => {
      const app = makeApp()
      app.get('/hello', (_request, response) => void response.send('hello'))
      const http = await listen(app)
      const counts = () => {
        const events = ['request', 'upgrade', 'connection', 'close', 'error', 'listening'] as const
        return [...events.map((event) => http.listenerCount(event)), stackOf(app).length, http.emit.name]
      }
      const before = counts()
      for (let round = 0; round < 5; round += 1) {
        const server = make(app, http)
        await serves(http)
        await server.shutdown({ final: true })
        expect(counts()).to.deep.equal(before)
      }
      make(app, http)
      await serves(http)
      expect(await (await fetch(`${urlOf(http)}/hello`)).text()).to.equal('hello')
    })

    it(`gives the paths to the application at once where it is final (${name})`, async () => {
      const app = makeApp()
      const http = await listen(app)
      const server = make(app, http)
      app.use((_request, response) => void response.status(404).send('the application'))
      const answers = async () => {
        const paths = ['/socket/token', '/sockets/health', '/sockets/info']
        const all = await Promise.all(paths.map((path) => fetch(`${urlOf(http)}${path}`)))
        return Promise.all(
          all.map(async (one) => `${one.status} ${one.status === 503 ? '' : await one.text()}`),
        )
      }
      await server.shutdown()
      const own = '404 the application'
      expect(await answers()).to.deep.equal(['503 ', '503 ', own])
      await server.shutdown({ final: true })
      expect(await answers()).to.deep.equal([own, own, own])
      expect(thrownBy(() => void server.shutdown({ finale: true } as never))).to.include({
        code: 'bad_option',
      })
    })

    it(`lets the next server on the same path stand where the last one stood (${name})`, async () => {
      const app = makeApp()
      const http = await listen(app)
      const first = make(app, http)
      app.use((_request, response) => void response.status(404).send('not found'))
      await first.shutdown()
      make(app, http)
      await serves(http)
    })

    it(`answers requests that are under way, and goes on with the handlers that they began with (${name})`, async () => {
      const app = makeApp()
      const [held, asked] = [deferred(), deferred()]
      const http = await listen(app)
      const [judging, judged] = [deferred<object>(), deferred()]
      const authentication = () => {
        judged.resolve()
        return judging.promise
      }
      const [one, other] = [
        make(app, http, { prefix: '/a', tokenRoute: '/a-token' }),
        make(app, http, { authentication }),
      ]
      // Behind the routes that go: a list that closes ranks under it would skip the next handler.
      app.get('/checked', async (_request, _response, next) => {
        asked.resolve()
        await held.promise
        next()
      })
      app.get('/checked', (_request, response) => void response.status(403).send('checked'))
      app.use((_request, response) => void response.send('unchecked'))
      const checked = fetch(`${urlOf(http)}/checked`)
      const token = fetch(`${urlOf(http)}/socket/token`)
      await Promise.all([asked.promise, judged.promise])
      await one.shutdown({ final: true })
      held.resolve()
      expect(await (await checked).text()).to.equal('checked')
      await other.shutdown()
      judging.resolve({ uid: 'ann' })
      expect([200, 503]).to.include((await token).status)
    })
  }

  it('lets a new server be made at once, without waiting for the end of the last one', async () => {
    const app = express()
    const http = await listen(app)
    const first = make(app, http)
    expect(refusedFor(app, http)).to.equal('prefix')
    const ended = first.shutdown()
    make(app, http)
    await serves(http)
    await ended
    await serves(http)
  })

  it('ends in any order, also where another library has wrapped `emit` meanwhile', async () => {
    const app = express()
    const http = await listen(app)
    const own = { prefix: '/other', tokenRoute: '/other-token' }
    const [one, other] = [make(app, http), make(app, http, own)]
    const { emit } = http
    const seen: string[] = []
    http.emit = ((event: string, ...rest: unknown[]) => {
      seen.push(event)
      return Reflect.apply(emit, http, [event, ...rest])
    }) as typeof http.emit
    await one.shutdown({ final: true })
    await serves(http, { tokenPath: '/other-token', socketPrefix: '/other' })
    await other.shutdown({ final: true })
    make(app, http)
    await serves(http)
    expect(seen).to.include('request').and.to.include('upgrade')
  })

  describe('of an engine', () => {
    const memory = () => new MemoryEngine()
    const onDisk = () => lmdbEngine({ path: mkdtempSync(join(tmpdir(), 'token-socket-')) })

    it('keeps it from a second server while the first one runs', async () => {
      const [app, engine] = [express(), memory()]
      const http = await listen(app)
      make(app, http, { engine })
      const free = { prefix: '/other', tokenRoute: '/other-token' }
      expect(refusedFor(app, http, { ...free, engine })).to.equal('engine')
      expect(refusedFor(app, await listen(app), { engine })).to.equal('engine')
      await serves(http)
    })

    it('keeps it from no one where the constructor throws', async () => {
      const [app, engine] = [express(), memory()]
      const http = await listen(app)
      refusedFor(app, http, { engine, origins: ['nonsense'] })
      make(app, http, { engine })
      await serves(http)
    })

    it('lets the next server have one in memory once it has ended, and not before', async () => {
      const [app, engine] = [express(), memory()]
      const http = await listen(app)
      const ended = make(app, http, { engine }).shutdown()
      expect(refusedFor(app, http, { engine })).to.equal('engine')
      await ended
      make(app, http, { engine })
      await serves(http)
    })

    it('refuses one that is closed', async () => {
      const [app, engine] = [express(), onDisk()]
      const http = await listen(app)
      await make(app, http, { engine }).shutdown()
      expect(() => make(app, http, { engine })).to.throw('engine is closed, as shutdown() does it')
      make(app, http, { engine: onDisk() })
      await serves(http)
    })
  })

  it('lets the next server have other paths, and the old ones are the application’s again', async () => {
    const app = express()
    const http = await listen(app)
    await make(app, http).shutdown()
    expect((await fetch(`${urlOf(http)}/socket/token`)).status).to.equal(503)
    expect((await fetch(`${urlOf(http)}/sockets/health`)).status).to.equal(503)
    make(app, http, { prefix: '/other', tokenRoute: '/other-token' })
    await serves(http, { tokenPath: '/other-token', socketPrefix: '/other' })
    expect((await fetch(`${urlOf(http)}/socket/token`)).status).to.equal(404)
    expect((await fetch(`${urlOf(http)}/sockets/health`)).status).to.equal(404)
  })

  it('serves on an application that another HTTP server has, each with keys of its own', async () => {
    const app = express()
    const [one, other] = [await listen(app), await listen(app)]
    make(app, one)
    const second = make(app, other, { secret: 'o'.repeat(32) })
    for (const http of [one, other]) await serves(http)
    await second.shutdown()
    expect((await fetch(`${urlOf(other)}/socket/token`)).status).to.equal(503)
    await serves(one)
    make(app, other, { secret: 'p'.repeat(32) })
    for (const http of [one, other]) await serves(http)
  })

  it('serves beside another application on one HTTP server, with the same token route', async () => {
    const [app, other] = [express(), express()]
    const http = await listen(app)
    app.use('/other', other)
    make(app, http)
    make(other, http, { prefix: '/other-sockets' })
    await serves(http)
    await serves(http, { tokenPath: '/other/socket/token', socketPrefix: '/other-sockets' })
  })

  it('serves beside another on one HTTP server where their paths differ', async () => {
    const app = express()
    const http = await listen(app)
    make(app, http)
    make(app, http, { prefix: '/other', tokenRoute: '/other-token' })
    await serves(http)
    await serves(http, { tokenPath: '/other-token', socketPrefix: '/other' })
  })

  describe('while another runs', () => {
    const free = { prefix: '/other', tokenRoute: '/other-token' }

    it('names the option, and what it collides with', async () => {
      const app = express()
      const http = await listen(app)
      make(app, http)
      const own = { prefix: '/other', tokenRoute: '/sockets/token' }
      expect((thrownBy(() => make(app, http, own)) as RpcError).message).to.equal(
        'Invalid option: tokenRoute (/sockets/token) is used by another TokenSocketServer on this HTTP server, whose prefix is /sockets: give each its own paths, or call shutdown() of the other one first',
      )
    })

    for (const [what, options, field] of [
      ['the same prefix', { tokenRoute: '/other-token' }, 'prefix'],
      ['a prefix below it', { prefix: '/sockets/a', tokenRoute: '/other-token' }, 'prefix'],
      ['a prefix above its token route', { prefix: '/socket', tokenRoute: '/other-token' }, 'prefix'],
      ['the same token route', { prefix: '/other' }, 'tokenRoute'],
      ['a token route below its prefix', { ...free, tokenRoute: '/sockets/token' }, 'tokenRoute'],
      ['its health route', { ...free, healthRoute: '/sockets/health' }, 'healthRoute'],
      ['a health route that is its token route', { ...free, healthRoute: '/socket/token' }, 'healthRoute'],
    ] as const) {
      it(`refuses ${what}, and takes nothing`, async () => {
        const app = express()
        const http = await listen(app)
        make(app, http)
        const listeners = http.listenerCount('upgrade')
        expect(refusedFor(app, http, options)).to.equal(field)
        expect(http.listenerCount('upgrade')).to.equal(listeners)
        await serves(http)
        make(app, http, free)
      })
    }

    for (const [what, options, field] of [
      ['a prefix above it', { ...free, prefix: '/up', healthRoute: false }, 'prefix'],
      ['the same path as a token route', { ...free, tokenRoute: '/up/health' }, 'tokenRoute'],
      ['the same path', { ...free, healthRoute: '/up/health' }, 'healthRoute'],
    ] as const) {
      for (const isOwnApp of [true, false])
        it(`refuses ${what} where the health route is on its own, ${isOwnApp ? 'on the same' : 'on another'} application`, async () => {
          const app = express()
          const http = await listen(app)
          make(app, http, { healthRoute: '/up/health' })
          expect(refusedFor(isOwnApp ? app : express(), http, options)).to.equal(field)
          await serves(http)
        })
    }

    for (const { name, make: makeApp } of EXPRESS_VERSIONS)
      it(`compares token routes as the application does: in any case, unless it tells them apart (${name})`, async () => {
        for (const isStrict of [false, true]) {
          const app = makeApp()
          app.set('case sensitive routing', isStrict)
          const http = await listen(app)
          make(app, http)
          const other = { prefix: '/other', tokenRoute: '/Socket/TOKEN' }
          if (!isStrict) expect(refusedFor(app, http, other)).to.equal('tokenRoute')
          else make(app, http, other)
          await serves(http)
          if (isStrict) await serves(http, { tokenPath: '/Socket/TOKEN', socketPrefix: '/other' })
        }
      })

    it('refuses another application with the same prefix on one HTTP server', async () => {
      const http = await listen(express())
      make(express(), http)
      expect(refusedFor(express(), http)).to.equal('prefix')
    })

    it('takes nothing by a constructor that throws later', async () => {
      const app = express()
      const http = await listen(app)
      for (const bad of [{ origins: ['nonsense'] }, { keys: {} }, { channels: { '': 5 } }])
        expect(refusedFor(app, http, bad as never)).to.be.a('string')
      expect([http.listenerCount('upgrade'), app.router.stack.length]).to.deep.equal([0, 0])
      make(app, http)
      await serves(http)
    })
  })
})

/** What the application's router goes through. */
function stackOf(app: Express): readonly unknown[] {
  type Router = { readonly stack: readonly unknown[] }
  const { _router } = app as unknown as { readonly _router?: Router }
  return (_router ?? (app as unknown as { router: Router }).router).stack
}

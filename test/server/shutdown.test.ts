/** What a server gives back, so that others can be made on the same application and HTTP server. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocket } from '@token-socket/client'
import { type RpcError, TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express } from 'express'
import { MB, memoryInUse } from '../end-to-end/memory.js'
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
    it(`gives back listeners, routes and memory, 300 times on one application (${name})`, async function () {
      this.timeout(120_000)
      const app = makeApp()
      app.get('/hello', (_request, response) => void response.send('hello'))
      const http = await listen(app)
      const counts = () => {
        const events = ['request', 'upgrade', 'connection', 'close', 'error', 'listening'] as const
        const { stack } = (app as unknown as { router?: Router; _router?: Router })._router ?? app.router
        return [...events.map((event) => http.listenerCount(event)), stack.length, http.emit.name]
      }
      const cycle = async () => {
        const server = make(app, http)
        await serves(http)
        await server.shutdown()
        servers.length = 0
      }
      // What is on its way out, as sockets that may take 2 s to close, is the same from here on.
      for (let round = 0; round < 100; round += 1) await cycle()
      const before = counts()
      const memory = memoryInUse()
      for (let round = 0; round < 200; round += 1) await cycle()
      expect(counts()).to.deep.equal(before)
      // 20 kB for each server: one that is kept has more than 40.
      expect((memoryInUse() - memory) / MB).to.be.lessThan(4)
      make(app, http)
      await serves(http)
      expect(await (await fetch(`${urlOf(http)}/hello`)).text()).to.equal('hello')
    })
  }

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

interface Router {
  readonly stack: readonly unknown[]
}

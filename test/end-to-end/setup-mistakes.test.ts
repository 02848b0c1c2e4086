/** What a developer reads in the server's log, and in the answer, who has put the application together wrongly. */
import { once } from 'node:events'
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocketServer, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import express, { type Express } from 'express'
import session from 'express-session'
import { RecordedLog } from '../server/recorded-log.js'

interface Answer {
  readonly status: number | undefined
  readonly body: Record<string, unknown>
}

describe('mistakes in the setup', () => {
  const ends: (() => unknown)[] = []
  const environment = process.env.NODE_ENV
  beforeEach(() => {
    delete process.env.NODE_ENV
  })
  afterEach(async () => {
    if (environment === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = environment
    await Promise.all(ends.splice(0).map((end) => end()))
  })

  function make(options: Partial<TokenSocketServerOptions> = {}, app: Express = express()) {
    const [server, log] = [createServer(app), new RecordedLog()]
    const given = { app, server, secret: 's'.repeat(32), logger: log, ...options }
    const sockets = new TokenSocketServer(given as TokenSocketServerOptions)
    ends.push(() => sockets.shutdown())
    return { app, server, log }
  }

  async function listening(server: Server): Promise<Server> {
    if (!server.listening) {
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
    }
    ends.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return server
  }

  /** Asks for a token as a proxy does that passes these headers on. */
  async function ask(server: Server, headers: Record<string, string> = {}, query = ''): Promise<Answer> {
    const { port } = (await listening(server)).address() as AddressInfo
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path: `/socket/token${query}`,
      method: 'POST',
      headers,
    })
    request.end()
    const [response] = await once(request, 'response')
    let text = ''
    for await (const part of response) text += part
    return { status: response.statusCode, body: JSON.parse(text) }
  }

  const warnings = (log: RecordedLog) =>
    log.lines.filter(({ level }) => level === 'warn' || level === 'error')
  const sessions = session({ secret: 'x', resave: false, saveUninitialized: false })

  describe('a refused origin', () => {
    /** As Vite's proxy sends it with `changeOrigin: true`. */
    const vite = { Host: '127.0.0.1:3000', Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'same-origin' }

    it('has one warning with the origin, the host, the option and the remedy, and a hint in the answer', async () => {
      const { server, log } = make({ authentication: () => ({ uid: 'ann' }) })
      const { status, body } = await ask(server, vite)
      for (let left = 5; left > 0; left -= 1) await ask(server, vite)
      expect(status).to.equal(403)
      expect(body).to.deep.include({ code: 'origin_refused' })
      expect(body.hint).to.match(/`changeOrigin: false`/)
      const [line, ...others] = warnings(log)
      expect(others).to.deep.equal([])
      expect(line?.message).to.equal('an origin was refused')
      expect(line?.details).to.deep.include({
        option: 'origins',
        origin: vite.Origin,
        host: vite.Host,
        hint: body.hint,
      })
    })

    it('has no hint in the answer in production, and the same warning', async () => {
      process.env.NODE_ENV = 'production'
      const { server, log } = make({ authentication: () => ({ uid: 'ann' }) })
      expect((await ask(server, vite)).body).to.have.all.keys('error', 'code')
      expect(warnings(log)[0]?.details.hint).to.match(/`changeOrigin: false`/)
    })
  })

  describe('app.listen instead of server.listen', () => {
    it('has one warning that names both servers', async () => {
      const { app, log } = make({ authentication: () => ({ uid: 'ann' }) })
      const other = app.listen(0, '127.0.0.1')
      await once(other, 'listening')
      for (let left = 3; left > 0; left -= 1) await ask(other)
      const [line, ...others] = warnings(log)
      expect(others).to.deep.equal([])
      expect(line?.message).to.match(
        /^a token request came by another HTTP server than the one that was given/,
      )
      const { port } = other.address() as AddressInfo
      expect(line?.details).to.deep.include({
        option: 'server',
        given: 'not listening',
        other: `port ${port}`,
      })
      expect(line?.details.hint).to.match(/instead of app\.listen\(\)/)
    })

    it('has it although the other server has listeners for upgrades, as of hot reload', async () => {
      const { app, log } = make({ authentication: () => ({ uid: 'ann' }) })
      const other = app.listen(0, '127.0.0.1').on('upgrade', () => {})
      await once(other, 'listening')
      await ask(other)
      expect(warnings(log)[0]?.details.hint).to.match(/instead of app\.listen\(\)/)
    })

    it('has a warning with another remedy where both listen', async () => {
      const { app, server, log } = make({ authentication: () => ({ uid: 'ann' }) })
      await ask(server)
      expect(warnings(log)).to.deep.equal([])
      await ask(createServer(app))
      expect(warnings(log)[0]?.details.hint).to.match(/make a TokenSocketServer for the other one/)
    })

    it('has none where both listen and the other one passes its upgrades on', async () => {
      const { server, log } = make({ authentication: () => ({ uid: 'ann' }) })
      await ask(server)
      const plain = createServer((request, response) => void server.emit('request', request, response))
      plain.on('upgrade', (...upgrade) => void server.emit('upgrade', ...upgrade))
      await ask(plain)
      expect(warnings(log)).to.deep.equal([])
    })

    it('has none where each HTTP server has its TokenSocketServer', async () => {
      const { app, server, log } = make({ authentication: () => ({ uid: 'ann' }) })
      const second = make({ authentication: () => ({ uid: 'ann' }) }, app)
      await ask(server)
      await ask(second.server)
      expect([...warnings(log), ...warnings(second.log)]).to.deep.equal([])
    })
  })

  describe('a session that is not there', () => {
    it('has one line that says what to mount before, and names the key', async () => {
      const { app, server, log } = make()
      app.use(sessions)
      for (let left = 3; left > 0; left -= 1) {
        const { status, body } = await ask(server)
        expect([status, body.error]).to.deep.equal([500, 'Internal error'])
        expect(body.hint).to.match(/^the log of the server says why/)
      }
      const [line, ...others] = warnings(log)
      expect(others).to.deep.equal([])
      expect(line?.message).to.match(
        /^a token request failed: req\.session is not there: mount the session middleware/,
      )
      expect(line?.details).to.deep.equal({ option: 'authentication', key: 'auth' })
    })

    it('is named where an authentication function reads it', async () => {
      type WithSession = { session: { auth: object } }
      const authentication = (request: unknown) => (request as WithSession).session.auth
      const { server, log } = make({ authentication })
      await ask(server)
      const [line] = warnings(log)
      expect(line?.message).to.equal('a token request failed: authentication threw')
      expect(line?.details.option).to.equal('authentication')
      expect(line?.details.hint).to.match(/^req\.session is not there: mount the session middleware/)
      expect(String(line?.details.err)).to.match(/TypeError.*'auth'/)
    })

    it('is not blamed for another error of an authentication function', async () => {
      const authentication = () => {
        throw new RangeError('no')
      }
      const { server, log } = make({ authentication })
      expect((await ask(server)).status).to.equal(500)
      expect(warnings(log)[0]?.details).to.have.all.keys('option', 'err')
    })
  })

  it('a session key that no session has is named, with what sessions have', async () => {
    const app = express()
    app.use(sessions, (request, _response, next) => {
      Object.assign(request.session, { user: { name: 'ann' } })
      next()
    })
    const { server, log } = make({}, app)
    const { status, body } = await ask(server)
    expect(status).to.equal(403)
    expect(body).to.deep.include({ error: 'Forbidden', code: 'forbidden' })
    expect(body.hint).to.equal(
      'the session has no value under "auth": sign in before, or set the option authentication',
    )
    const [line] = warnings(log)
    expect(line?.message).to.match(
      /^a session has values, but none under the key that `authentication` names/,
    )
    expect(line?.details).to.deep.equal({ option: 'authentication', key: 'auth', found: 'user' })
  })

  it('a session key has neither hint nor warning in production', async () => {
    process.env.NODE_ENV = 'production'
    const app = express()
    app.use(sessions, (request, _response, next) => {
      Object.assign(request.session, { user: 1 })
      next()
    })
    const { server, log } = make({}, app)
    expect((await ask(server)).body).to.deep.equal({ error: 'Forbidden', code: 'forbidden' })
    expect(warnings(log)).to.deep.equal([])
  })
})

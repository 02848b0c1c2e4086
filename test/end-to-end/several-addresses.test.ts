/** Clients whose requests leave by several addresses: what binds a session of the HTTP transports, and whom it refuses. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenSocket } from '@token-socket/client'
import { type SessionBindingName, TokenSocketServer } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import SockJS from 'sockjs-client'
import { type From, ManyAddresses } from './many-addresses.js'

const EVERY = ['xhr-streaming', 'xhr-polling', 'eventsource', 'jsonp-polling', 'htmlfile'] as const

const PAGE = 'https://page.example.com'

/** A site that listens for IPv4 and IPv6. */
class DualStackSite {
  readonly lines: Record<string, unknown>[] = []
  readonly #server: Server
  readonly #sockets: TokenSocketServer

  private constructor(bindSessions: SessionBindingName | undefined, isProxied: boolean) {
    const app = express()
    if (isProxied) app.set('trust proxy', 'loopback')
    this.#server = createServer(app)
    const info = (details: object) => void this.lines.push({ ...details })
    this.#sockets = new TokenSocketServer({
      app,
      server: this.#server,
      authentication: () => true,
      origins: [PAGE],
      transports: EVERY,
      bindSessions,
      // The head of a poll's answer leaves with the first frame.
      pingInterval: 50,
      socketController: { echo: (_auth: unknown, data: unknown) => data },
      logger: { debug() {}, warn() {}, error() {}, info },
    })
  }

  static async start(bindSessions?: SessionBindingName, isProxied = false): Promise<DualStackSite> {
    const site = new DualStackSite(bindSessions, isProxied)
    site.#server.listen(0, '::')
    await once(site.#server, 'listening')
    return site
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    await this.#sockets.shutdown()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly from: From
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string
}

/** Sends a request from an address of one's choice. */
function send(port: number, { method, path, from, headers, body = '' }: Asked) {
  const host = from === '::1' ? '::1' : '127.0.0.1'
  const given = Object.entries(headers ?? {}).filter(([, value]) => value !== undefined)
  const all = Object.fromEntries(given) as Record<string, string>
  const sent = request({ host, port, method, path, localAddress: from, agent: false, headers: all })
  sent.end(body)
  return sent
}

describe('clients whose requests leave by several addresses', () => {
  const ends: (() => Promise<unknown>)[] = []

  // The client's own is the one for browsers, which finds no transport in Node.
  before(() => {
    Object.assign(globalThis, { SockJS })
  })
  after(() => {
    Reflect.deleteProperty(globalThis, 'SockJS')
  })

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  async function site(...args: Parameters<typeof DualStackSite.start>): Promise<DualStackSite> {
    const started = await DualStackSite.start(...args)
    ends.push(() => started.stop())
    return started
  }

  /** A client behind several addresses, that tries one transport. */
  async function client(port: number, transport: string, from: readonly From[], keepsCookies = false) {
    const proxy = await ManyAddresses.start({ site: port, from, keepsCookies })
    ends.push(() => proxy.stop())
    const made = new TokenSocket({
      host: proxy.host,
      transports: ['sockjs'],
      sockjs: { transports: [transport] },
    })
    ends.push(() => made.end())
    return made
  }

  const ALL: readonly From[] = ['127.0.0.1', '127.0.0.2', '::1']

  for (const transport of ['xhr-polling', 'xhr-streaming', 'eventsource']) {
    const isServed = async (made: TokenSocket) => {
      await made.ready()
      for (const value of [1, 2, 3, 4]) expect(await made.rpc('echo', value)).to.equal(value)
    }

    it(`are served by ${transport} with 127.0.0.1 and ::1 in turns, if nothing is said`, async () => {
      const { port } = await site()
      await isServed(await client(port, transport, ['127.0.0.1', '::1']))
    })

    it(`are served by ${transport} with other addresses, too, with bindSessions: 'origin'`, async () => {
      const { port } = await site('origin')
      await isServed(await client(port, transport, ALL))
    })

    it(`are served by ${transport} with other addresses, too, with bindSessions: 'cookie', if they keep it`, async () => {
      const { port } = await site('cookie')
      await isServed(await client(port, transport, ALL, true))
    })
  }

  /** What opens a session, what receives, and what sends: by transport. */
  const OPENERS = [
    ['POST', 'xhr'],
    ['POST', 'xhr_streaming'],
    ['GET', 'eventsource'],
    ['GET', 'jsonp?c=f'],
    ['GET', 'htmlfile?c=f'],
  ] as const
  const SENDERS = [
    ['POST', 'xhr_send'],
    ['POST', 'jsonp_send'],
  ] as const

  /** Who comes to a session that a page of another origin has opened from 127.0.0.1. */
  type Visitor = Pick<Asked, 'from'> & {
    readonly origin?: string
    /** Whether it brings the session's cookie, or a wrong one. */
    readonly cookie?: 'right' | 'wrong'
  }

  const VISITORS: Readonly<Record<string, Visitor>> = {
    'its client': { from: '127.0.0.1', origin: PAGE },
    'its client by ::1': { from: '::1', origin: PAGE },
    'its client with the cookie': { from: '127.0.0.1', origin: PAGE, cookie: 'right' },
    'the cookie from another address': { from: '127.0.0.2', origin: PAGE, cookie: 'right' },
    'another cookie from its address': { from: '127.0.0.1', origin: PAGE, cookie: 'wrong' },
    'another address': { from: '127.0.0.2', origin: PAGE },
    'another cookie from another address': { from: '127.0.0.2', origin: PAGE, cookie: 'wrong' },
    'another origin': { from: '127.0.0.1' },
    'the cookie from another origin': { from: '127.0.0.1', cookie: 'right' },
  }

  /** Statuses, by what binds and who comes: 404, or let in. */
  const REFUSED: Readonly<Record<SessionBindingName, readonly string[]>> = {
    address: [
      'the cookie from another address',
      'another address',
      'another cookie from another address',
      'another origin',
      'the cookie from another origin',
    ],
    origin: ['another origin', 'the cookie from another origin'],
    cookie: [
      'another address',
      'another cookie from another address',
      'another origin',
      'the cookie from another origin',
    ],
  }

  for (const by of ['address', 'origin', 'cookie'] as const) {
    describe(`bindSessions: '${by}'`, () => {
      let port: number
      let started: DualStackSite

      beforeEach(async () => {
        started = await site(by)
        port = started.port
      })

      /** Opens a session. @returns its path, and the cookie that was set */
      async function open(headers: Record<string, string> = {}) {
        const path = `/sockets/000/${crypto.randomUUID()}`
        const all = { Origin: PAGE, ...headers }
        const sent = send(port, { method: 'POST', path: `${path}/xhr`, from: '127.0.0.1', headers: all })
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        await once(response.resume(), 'end')
        expect(response.statusCode).to.equal(200)
        return { path, set: response.headers['set-cookie'] }
      }

      async function statusOf(
        session: Awaited<ReturnType<typeof open>>,
        visitor: Visitor,
        [method, end]: readonly [string, string],
      ) {
        const value = session.set?.[0]?.split(';')[0]
        const cookie =
          visitor.cookie === 'right' ? value : visitor.cookie && `${value?.split('=')[0]}=${'x'.repeat(22)}`
        const headers = {
          Origin: visitor.origin,
          Cookie: cookie,
          'Content-Type': 'text/plain',
        }
        const sent = send(port, {
          method,
          path: `${session.path}/${end}`,
          from: visitor.from,
          headers,
          body: method === 'POST' ? '[]' : '',
        })
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        sent.destroy()
        return response.statusCode
      }

      for (const [name, visitor] of Object.entries(VISITORS)) {
        const isRefused = REFUSED[by].includes(name)

        it(`${isRefused ? 'refuses' : 'lets in'} ${name}`, async () => {
          for (const way of [...OPENERS, ...SENDERS]) {
            const expected = isRefused ? 404 : way[1] === 'xhr_send' ? 204 : 200
            expect(await statusOf(await open(), visitor, way), way[1]).to.equal(expected)
          }
          if (!isRefused) return
          const lines = started.lines.map(({ hint }) => String(hint))
          expect(lines.some((hint) => hint.includes('bindSessions'))).to.equal(true)
        })
      }

      it(`${by === 'cookie' ? 'no longer lets in its address without the cookie' : 'asks for no cookie'}, once it came with it`, async () => {
        const session = await open()
        const send = SENDERS[0]
        expect(await statusOf(session, VISITORS['its client with the cookie'] as Visitor, send)).to.equal(204)
        const expected = by === 'cookie' ? 404 : 204
        expect(await statusOf(session, VISITORS['its client'] as Visitor, send)).to.equal(expected)
        expect(
          await statusOf(session, VISITORS['another cookie from its address'] as Visitor, send),
        ).to.equal(expected)
        expect(await statusOf(session, VISITORS['its client with the cookie'] as Visitor, send)).to.equal(204)
      })

      it(`sets ${by === 'cookie' ? 'a cookie of the session' : 'no cookie'}`, async () => {
        const { set } = await open()
        if (by !== 'cookie') return expect(set).to.equal(undefined)
        // Without a path: browsers return it below /sockets/000/<session> only, also where a proxy mounts it elsewhere.
        expect(set).to.have.length(1)
        expect(set?.[0]).to.match(/^token-socket-session=[\w-]{22}; HttpOnly; SameSite=Lax$/)
        const other = await open()
        expect(other.set).to.not.deep.equal(set)
        const sent = send(port, {
          method: 'POST',
          path: `${other.path}/xhr_send`,
          from: '127.0.0.1',
          headers: { Origin: PAGE },
          body: '[]',
        })
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        expect(response.headers).to.not.have.property('set-cookie')
        sent.destroy()
      })
    })
  }

  it('by TLS get a cookie that pages of other origins return, and of their own one that others do not', async () => {
    const { port } = await site('cookie', true)
    for (const [origin, attributes] of [
      [PAGE, 'HttpOnly; Secure; SameSite=None; Partitioned'],
      [undefined, 'HttpOnly; Secure; SameSite=Lax'],
    ] as const) {
      const path = `/sockets/000/${crypto.randomUUID()}/xhr`
      const headers = { Origin: origin, 'X-Forwarded-Proto': 'https' }
      const sent = send(port, { method: 'POST', path, from: '127.0.0.1', headers })
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      expect(response.headers['set-cookie']?.[0]?.split('; ').slice(1).join('; ')).to.equal(attributes)
      sent.destroy()
    }
  })
})

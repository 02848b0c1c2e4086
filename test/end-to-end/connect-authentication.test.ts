/** Connections without a token: what lets them in, what does not, and what each side says. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { inspect } from 'node:util'
import type { TokenSocket, TokenSocketOptions } from '@token-socket/client'
import { CLOSE_CODES, type ConnectAuthentication, RpcError } from '@token-socket/server'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { until } from '../client/waiting.js'
import { inNodeOnly } from '../only-in.js'
import { rejection } from '../protocol/rejection.js'
import { keptAfterCollection, watchUpgrades } from '../server/transports/watched-upgrades.js'
import { type Site, type SiteOptions, useSites } from './fixture.js'
import { CARRIERS, type Peer } from './peer.js'

const AUTH = { rpc: 'auth', uuid: 'a', version: 1 }

/** The query of an upgrade request. */
function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URL(url, 'http://server.invalid').searchParams
}

/** Puts a query behind the URL that a client connects to. */
const withQuery = (query: string) => (request: { readonly url: string }) => `${request.url}?${query}`

const asItIs = ({ url }: { readonly url: string }) => ({ url })

describe('connectAuthentication', () => {
  const sites = useSites()

  /** One node, whatever the surroundings: only WebSockets come without a token. */
  const start = (connectAuthentication: ConnectAuthentication | undefined, options: SiteOptions = {}) =>
    sites({ connectAuthentication, engine: undefined, ...options })

  /** The answer to an `auth` without a token, and the code with which the connection is closed. */
  async function refused(site: Site): Promise<readonly [answer: unknown, code: number]> {
    const peer = await site.peer()
    peer.send(AUTH)
    const { code } = await peer.closed
    const { uuid: _, rpc: _rpc, ...answer } = peer.frames.find(({ rpc }) => rpc === 'auth') ?? {}
    return [answer, code]
  }

  describe('lets a client in', () => {
    const url = withQuery('user=ann')

    it('as the object that it gives for the URL and the headers of the upgrade', async () => {
      const site = await start(async (request) => ({
        uid: queryOf(request).get('user'),
        from: request.headers.cookie,
        address: request.socket.remoteAddress,
      }))
      const { socket, client } = await site.pair({ url, headers: { Cookie: 'a=b' } })
      const auth = { uid: 'ann', from: 'a=b', address: '127.0.0.1' }
      expect(await client.rpc('whoami')).to.deep.equal(auth)
      const { uid, transport, ip, ips, host } = socket
      expect({ uid, transport, ip, ips, host }).to.deep.equal({
        uid: 'ann',
        transport: 'websocket',
        ip: '127.0.0.1',
        ips: [],
        host: '127.0.0.1',
      })
    })

    const answers: Readonly<Record<string, readonly [give: ConnectAuthentication, auth: unknown]>> = {
      'an object at once': [() => ({ a: 1 }), { a: 1 }],
      'a promise': [async () => ({ a: 1 }), { a: 1 }],
      'a callback': [(_request, callback) => callback(null, { a: 1 }), { a: 1 }],
      'a later callback': [
        (_request, callback) => void setImmediate(() => callback(undefined, { a: 1 })),
        { a: 1 },
      ],
      true: [() => true, {}],
      'a promise of true': [async () => true, {}],
      'an object with what JSON leaves out': [() => ({ a: 1, b: undefined, c: () => {} }), { a: 1 }],
      'a `__proto__` of its own': [() => JSON.parse('{"__proto__":{"isAdmin":true}}'), undefined],
    }
    for (const [title, [give, auth]] of Object.entries(answers))
      it(`by ${title}`, async () => {
        const site = await start(give)
        const { socket } = await site.pair({ url })
        if (auth) expect(socket.auth).to.deep.equal(auth)
        expect((socket.auth as { isAdmin?: unknown }).isAdmin).to.equal(undefined)
      })

    it('again after a loss, and asks for the URL and the user each time', async () => {
      const seen: unknown[] = []
      const site = await start((request) => {
        seen.push(queryOf(request).get('try'))
        return { uid: 'ann' }
      })
      let tries = 0
      const { client, socket } = await site.pair({
        url: (request) => {
          tries += 1
          return { url: `${request.url}?try=${tries}` }
        },
      })
      await client.subscribe('chat')
      socket.end()
      await until(() => seen.length === 2)
      await client.rpc('echo', 1)
      expect(seen).to.deep.equal(['1', '2'])
      expect(client.channels()).to.deep.equal(['chat'])
    })

    it('beside clients with tokens, which it is not asked about', async () => {
      let asked = 0
      const site = await start(() => {
        asked += 1
        return { uid: 'url' }
      })
      const clients = [await site.ready({ url: asItIs }), await site.ready()]
      expect(await Promise.all(clients.map((client) => client.rpc('whoami')))).to.deep.equal([
        { uid: 'url' },
        { name: 'ann' },
      ])
      expect(asked).to.equal(1)
    })

    it("by SockJS's WebSocket, too", async () => {
      const site = await start((request) => ({ uid: queryOf(request).get('user') ?? 'none' }))
      const peer = await site.peer('sockjs-websocket')
      peer.send(AUTH)
      expect((await peer.find(({ rpc }) => rpc === 'auth')).resp).to.equal('success')
    })

    it('with the addresses that trusted proxies name', async () => {
      const site = await start(() => true, { prepare: (app) => void app.set('trust proxy', 'loopback') })
      const headers = {
        'X-Forwarded-For': '6.6.6.6, 1.2.3.4, 127.0.0.2',
        'X-Forwarded-Host': 'x.example:8443',
      }
      const { socket } = await site.pair({ url: asItIs, headers })
      const { ip, ips, host } = socket
      expect([ip, ips, host]).to.deep.equal(['1.2.3.4', ['1.2.3.4', '127.0.0.2'], 'x.example'])
    })

    it('with a URL that is long enough for credentials', async () => {
      const site = await start((request) => ({ size: queryOf(request).get('token')?.length }))
      const token = 'x'.repeat(10_000)
      const { socket } = await site.pair({ url: withQuery(`token=${token}`) })
      expect(socket.auth).to.deep.equal({ size: 10_000 })
    })
  })

  describe('refuses for good', () => {
    const rows: Readonly<
      Record<string, readonly [give: ConnectAuthentication, answer: object, log?: readonly [string, RegExp]]>
    > = {
      false: [() => false, { error: 'Forbidden', code: 'forbidden' }],
      nothing: [() => undefined, { error: 'Forbidden', code: 'forbidden' }],
      'a promise of undefined': [async () => undefined, { error: 'Forbidden', code: 'forbidden' }],
      null: [() => null, { error: 'Forbidden', code: 'forbidden' }],
      zero: [() => 0, { error: 'Forbidden', code: 'forbidden' }],
      'an empty text': [() => '', { error: 'Forbidden', code: 'forbidden' }],
      'a callback without a user': [(_r, callback) => callback(), { error: 'Forbidden', code: 'forbidden' }],
      'an RpcError': [
        async () => {
          throw new RpcError('banned', 'You are banned', { until: 7 })
        },
        { error: { message: 'You are banned', code: 'banned', data: { until: 7 } }, code: 'banned' },
      ],
      'an RpcError by callback': [
        (_r, callback) => callback(new RpcError('forbidden')),
        { error: 'Forbidden', code: 'forbidden' },
      ],
      'a text': [() => 'ann', { error: 'Forbidden', code: 'forbidden' }, ['error', /gave a string/]],
      'a number': [() => 7, { error: 'Forbidden', code: 'forbidden' }, ['error', /gave a number/]],
      'a function': [
        () => () => true,
        { error: 'Forbidden', code: 'forbidden' },
        ['error', /gave a function/],
      ],
      'a promise of a function': [
        async () => () => true,
        { error: 'Forbidden', code: 'forbidden' },
        ['error', /gave a function/],
      ],
      'an RpcError as the answer': [
        () => new RpcError('banned'),
        { error: 'banned', code: 'banned' },
        ['warn', /gave an error as its answer/],
      ],
      'a boxed false': [
        () => new Boolean(false),
        { error: 'Forbidden', code: 'forbidden' },
        ['error', /gave an object of Boolean that is no object as JSON/],
      ],
      'a date': [
        async () => new Date(),
        { error: 'Forbidden', code: 'forbidden' },
        ['error', /gave an object of Date that is no object as JSON/],
      ],
      'an object that is nothing as JSON': [
        (_r, callback) => callback(null, { toJSON: () => undefined }),
        { error: 'Forbidden', code: 'forbidden' },
        ['error', /gave an object that is no object as JSON/],
      ],
      'a symbol': [() => Symbol('a'), { error: 'Forbidden', code: 'forbidden' }, ['error', /gave a symbol/]],
      'a bigint': [() => 1n, { error: 'Forbidden', code: 'forbidden' }, ['error', /gave a bigint/]],
    }
    for (const [title, [give, answer, log]] of Object.entries(rows))
      it(`by ${title}`, async () => {
        const site = await start(give)
        expect(await refused(site)).to.deep.equal([answer, CLOSE_CODES.auth_refused.code])
        const lines = site.log.filter(({ details }) => 'option' in details && details.option !== 'secret')
        expect(lines.at(-1)).to.deep.include({
          level: 'info',
          message: 'a connection without a token was refused',
        })
        if (log) expect(lines.find(({ level }) => level === log[0])?.message).to.match(log[1])
        expect(lines).to.have.length(log ? 2 : 1)
        expect([site.failures, site.sockets.sockets()]).to.deep.equal([[], []])
        const client = site.client({ url: asItIs })
        const error = await rejection(client.ready())
        expect([error.code, client.state]).to.deep.equal([(answer as { code: string }).code, 'failed'])
      })
  })

  describe('lets nothing in, and clients come back, when it', () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    const failures: Readonly<Record<string, readonly [give: ConnectAuthentication, text: RegExp]>> = {
      throws: [
        () => {
          throw new Error('no database')
        },
        /no database/,
      ],
      rejects: [async () => Promise.reject(new TypeError('no database')), /no database/],
      'returns an error': [() => new Error('no database'), /no database/],
      'resolves to an error': [async () => new Error('no database'), /no database/],
      'calls back an error as the user': [
        (_r, callback) => callback(null, new Error('no database')),
        /no database/,
      ],
      'throws undefined': [
        () => {
          throw undefined
        },
        /undefined/,
      ],
      'rejects with null': [() => Promise.reject(null), /null/],
      'rejects with 0': [() => Promise.reject(0), /0/],
      'rejects with a text': [async () => Promise.reject('no database'), /no database/],
      'calls back an error': [(_r, callback) => callback(new Error('no database')), /no database/],
      'does not answer': [() => new Promise(() => {}), /did not answer within 100 ms/],
      'does not call back': [(_r, _callback) => {}, /did not answer within 100 ms/],
      'gives what is no JSON': [() => circular, /./],
      'gives more than limits.authData': [() => ({ text: 'x'.repeat(70_000) }), /limits\.authData is 65536/],
      'gives wrong claims': [() => ({ uid: 'ann', channels: 7 }), /channels/],
      'gives an object that throws': [
        () => ({
          get uid() {
            throw new Error('a getter')
          },
        }),
        /a getter/,
      ],
    }
    for (const [title, [give, text]] of Object.entries(failures))
      it(title, async () => {
        const site = await start(give, { authTimeout: 100 })
        const internal = { error: 'Internal error', code: 'internal' }
        const [answer, code] = await refused(site)
        expect([answer, code]).to.deep.equal([internal, CLOSE_CODES.auth_failed.code])
        const [{ cause, details } = { cause: undefined, details: {} }] = site.failures
        expect(String((cause as Error)?.message ?? cause)).to.match(text)
        expect(details).to.include({ option: 'connectAuthentication' })
        const [line] = site.log.filter(({ level }) => level === 'error')
        expect(line?.details).to.include({ option: 'connectAuthentication' })
        const client = site.client({ url: asItIs, logLevel: 'none' })
        await until(() => client.state === 'waiting')
        expect(site.sockets.sockets()).to.deep.equal([])
      })

    it('is mended, and the client comes in', async () => {
      let isBroken = true
      const site = await start(() => {
        if (isBroken) throw new Error('no database')
        return { uid: 'ann' }
      })
      const client = site.client({ url: asItIs })
      await until(() => client.state === 'waiting')
      isBroken = false
      await client.ready()
      expect(client.uid).to.equal('ann')
    })
  })

  describe('keeps no upgrade request', () => {
    const collected = async (site: Site, connect: () => Promise<unknown>) => {
      const requests = watchUpgrades(site.http)
      await connect()
      expect(requests).to.have.length(1)
      expect(await keptAfterCollection(requests)).to.equal(0)
    }

    const ways: Readonly<Record<string, TokenSocketOptions>> = {
      'without a token': { url: asItIs },
      'with a token': {},
    }
    for (const [title, options] of Object.entries(ways))
      inNodeOnly('the HTTP server of Bun keeps it').it(
        `of a client that has signed in ${title}`,
        async () => {
          const site = await start(() => ({ uid: 'ann' }))
          let client: TokenSocket | undefined
          await collected(site, async () => {
            client = await site.ready(options)
          })
          expect(await client?.rpc('echo', 1)).to.equal(1)
        },
      )

    inNodeOnly('the HTTP server of Bun keeps it').it('of one that has signed in by SockJS', async () => {
      const site = await start(() => ({ uid: 'ann' }))
      let peer: Peer | undefined
      await collected(site, async () => {
        peer = await site.peer('sockjs-websocket')
        peer.send(AUTH)
        await peer.find(({ rpc }) => rpc === 'auth')
      })
      expect(site.sockets.sockets().map(({ isClosed }) => isClosed)).to.deep.equal([false])
      expect(peer?.frames).to.not.be.empty
    })

    inNodeOnly('the HTTP server of Bun keeps it').it('of one that was refused', async () => {
      const site = await start(() => false)
      await collected(site, () => refused(site))
    })
  })

  it('lets in a tool that sends the two lines that docs/CONTRACT.md shows', async () => {
    const text = await readFile(new URL('../../docs/CONTRACT.md', import.meta.url), 'utf8')
    const lines = [...text.matchAll(/`(\{"rpc":.*?\})`/g)].map(([, line = '']) => line)
    expect(lines).to.have.length(2)
    const buy = (_auth: unknown, { item }: { item: string }) => `a ${item}`
    const site = await start(() => ({ uid: 'ann' }), { socketController: { orders: { buy } } })
    const peer = await site.peer()
    const [auth, call] = lines.map((line) => JSON.parse(line))
    expect(await peer.ask(auth)).to.include({ resp: 'success' })
    expect(await peer.ask(call)).to.include({ resp: 'a book' })
  })

  describe('a connection without a token', () => {
    async function isRequired(peer: Peer): Promise<void> {
      peer.send(AUTH)
      const { code, reason } = await peer.closed
      expect({ code, reason }).to.deep.equal(CLOSE_CODES.auth_required)
      expect(peer.frames).to.deep.equal([])
    }

    for (const carrier of CARRIERS) {
      it(`is closed with 4500 without the option, by ${carrier}`, async () => {
        const site = await start(undefined)
        await isRequired(await site.peer(carrier))
      })

      if (carrier !== 'websocket' && carrier !== 'sockjs-websocket')
        it(`is closed with 4500 with the option, by ${carrier}`, async () => {
          let asked = 0
          const site = await start(() => {
            asked += 1
            return true
          })
          await isRequired(await site.peer(carrier))
          expect(asked).to.equal(0)
        })
    }

    for (const token of [null, '', 0, false, {}])
      it(`is not one whose token is ${JSON.stringify(token)}`, async () => {
        const site = await start(() => true)
        const peer = await site.peer()
        peer.send({ ...AUTH, token })
        expect((await peer.closed).code).to.equal(CLOSE_CODES.auth_required.code)
      })

    it('ends the client for good where the server has no such option, with the reason', async () => {
      const site = await start(undefined)
      const warnings: string[] = []
      const logger = { warn: (text: string) => void warnings.push(text) }
      const client = site.client({ url: asItIs, logger })
      const error = await rejection(client.ready())
      expect([error.code, error.data]).to.deep.equal([
        'connection_lost',
        { code: 4500, reason: CLOSE_CODES.auth_required.reason },
      ])
      expect(warnings).to.have.length(1)
      expect(warnings[0]).to.match(
        /the sign-in without a token fails.*give it the option `connectAuthentication`/,
      )
    })

    it('may be closed while the function decides, and nothing is left', async () => {
      let settle = (_auth: unknown) => {}
      const site = await start(() => new Promise((resolve) => (settle = resolve)))
      const peer = await site.peer()
      peer.send(AUTH)
      let before = settle
      await until(() => {
        before = settle
        return before.length === 1
      })
      peer.destroy()
      await peer.closed
      settle({ uid: 'late' })
      await site.ready()
      expect(site.sockets.sockets().map(({ uid }) => uid)).to.deep.equal([undefined])
    })
  })

  describe('never has the query', () => {
    /** Long, short, encoded and odd: each name and value is looked for by itself. */
    const PARTS = ['S3CR3T-credential', 'ü S3CR3T', 'x7Qv', '"q7\\u"', 'N4ME', 'J5#+&']
    const [key, umlaut, short, quoted, name, odd] = PARTS.map(encodeURIComponent)
    const query = `key=${key}&more=${umlaut}&s=${short}&q=${quoted}&${name}=${odd}&N4ME`
    const [, ...written] = PARTS.map(encodeURIComponent)
    const SECRETS = [...PARTS, ...written, ...PARTS.map((part) => JSON.stringify(part).slice(1, -1)), query]

    const values = (request: IncomingMessage) => [...queryOf(request)].flat()

    const ends: Readonly<Record<string, ConnectAuthentication>> = {
      'lets in': () => ({ uid: 'ann' }),
      refuses: () => false,
      'refuses with an RpcError': () => {
        throw new RpcError('banned')
      },
      'refuses with a code of it': (request) => {
        throw new RpcError(queryOf(request).get('s') ?? '')
      },
      'gives a text': () => 'ann',
      'gives an error': ({ url }) => new Error(url),
      'throws with the URL': ({ url }) => {
        throw new Error(`cannot read ${url}`)
      },
      'throws with the values': (request) => {
        throw new Error(`no such key: ${values(request).join()}`)
      },
      'throws with JSON': (request) => {
        throw new Error(JSON.stringify(values(request)))
      },
      'throws an error that is called so': (request) => {
        const [, value = ''] = values(request)
        throw Object.assign(new Error('no'), { name: value, code: value, key: value })
      },
      'throws a list': (request) => {
        throw values(request)
      },
      'fails to parse the URL': ({ url = '' }) => ({ url: new URL(url).search }),
      'throws the request': (request) => {
        throw request
      },
      'throws the URL': ({ url }) => {
        throw url
      },
      'throws with a cause': ({ url }) => {
        throw new Error('no', { cause: new Error(url) })
      },
      'throws several': ({ url }) => {
        throw new AggregateError([new Error(url)], 'no')
      },
      'does not answer': () => new Promise(() => {}),
    }
    for (const [title, give] of Object.entries(ends))
      it(`in the log, an error or an event where it ${title}`, async () => {
        const site = await start(give, { debug: true, authTimeout: 100 })
        const said: unknown[] = []
        const note = (...all: unknown[]) => void said.push(all)
        // A client is told the code that refuses it.
        if (!title.includes('a code of it')) {
          const client = site.client({ url: withQuery(query), logger: { debug: note, warn: note } })
          for (const event of ['state', 'error', 'ready', 'reconnect', 'disconnect'] as const)
            client.on(event, note)
          await until(() => ['ready', 'failed', 'waiting'].includes(client.state))
          expect(said).to.not.deep.equal([])
          said.push(client.status)
        }
        const socket = new WebSocket(`${site.url.replace('http', 'ws')}/sockets/websocket?${query}`)
        socket.on('open', () => socket.send(JSON.stringify(AUTH)))
        await new Promise((resolve) => socket.once('message', resolve))
        socket.terminate()
        expectNone(site, said)
      })

    it('in the log where plain requests below the prefix have one', async () => {
      const site = await start(() => true, { debug: true })
      const paths = [
        '',
        '/',
        '/info',
        '/iframe.html',
        '/websocket',
        '/nowhere',
        '/1/2/xhr',
        '/1/2/jsonp',
        '/1/2/nothing',
      ]
      for (const path of [...paths, '/client.js', '/1/2/websocket', '/1/2/xhr_send', '/1/2/eventsource'])
        for (const method of ['GET', 'POST', 'OPTIONS', 'PUT']) {
          const cut = AbortSignal.timeout(300)
          await fetch(`${site.url}/sockets${path}?${query}`, { method, signal: cut }).catch(() => {})
        }
      expect(site.log.some(({ message }) => message.includes('/sockets/info'))).to.equal(true)
      expectNone(site, [])
    })

    it('in the log where an upgrade is refused that has one', async () => {
      const site = await start(() => true, { debug: true, origins: [] })
      for (const path of ['/sockets/nowhere', '/sockets/websocket', '/elsewhere'])
        for (const origin of [undefined, 'https://evil.example']) {
          const url = `${site.url.replace('http', 'ws')}${path}?${query}`
          const socket = new WebSocket(url, origin === undefined ? {} : { origin })
          await new Promise((resolve) => {
            socket.once('error', resolve)
            socket.once('open', resolve)
          })
          socket.terminate()
        }
      expectNone(site, [])
    })

    function expectNone({ failures, log }: Site, said: readonly unknown[]): void {
      const text = inspect([failures, log, said], { depth: 12, maxStringLength: null, maxArrayLength: null })
      expect(SECRETS.filter((secret) => text.includes(secret))).to.deep.equal([])
    }
  })
})

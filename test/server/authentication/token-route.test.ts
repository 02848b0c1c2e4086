import type { RequestListener } from 'node:http'
import { createTimeouts, RpcPeer } from '@token-socket/protocol'
import {
  type Authentication,
  MemoryEngine,
  RpcError,
  TokenSocketServer,
  type TokenSocketServerOptions,
} from '@token-socket/server'
import { expect } from 'chai'
import type { Express, Request, RequestHandler } from 'express'
import session from 'express-session'
import sinon from 'sinon'
import type { TicketData } from '#server/authentication/ticket-data.js'
import { TokenRequests } from '#server/authentication/token-requests.js'
import { type TokenRouteOptions, tokenGuard, tokenRoute } from '#server/authentication/token-route.js'
import { secretKey, Tokens } from '#server/authentication/tokens.js'
import { OriginRules, type OriginRulesOptions } from '#server/http/origins.js'
import { EXPRESS_VERSIONS } from '../applications.js'
import { TestServer } from '../http-server.js'
import { Inbox } from '../inbox.js'
import { RecordedLog } from '../recorded-log.js'

const A = 'https://a.example.com'
const FORBIDDEN = { error: 'Forbidden', code: 'forbidden' }
const ORIGIN_REFUSED = { error: 'The origin is not allowed', code: 'origin_refused' }
const PATH = '/socket/token'

const LIMITS: TokenRouteOptions['limits'] = {
  authenticationTimeout: 10_000,
  authData: 1000,
  ticketsPerUser: 2,
  ticketsPerAddress: 5,
  tokenRequestsPerUser: 1000,
  tokenRequestsPerAddress: 1000,
}

/** What a test changes. */
interface Settings {
  readonly limits?: Partial<TokenRouteOptions['limits']>
  readonly route?: Partial<TokenRouteOptions>
  readonly origins?: Partial<OriginRulesOptions>
  readonly session?: unknown
  readonly before?: RequestHandler
  readonly app?: (app: Express) => void
}

for (const { name, make } of EXPRESS_VERSIONS) {
  describe(`the token route on ${name}`, () => {
    const tokens = new Tokens({ keys: secretKey('secret'), audience: 'token-socket', ttl: 30_000 })
    let server: TestServer
    let log: RecordedLog
    let tickets: MemoryEngine['tickets']

    afterEach(() => server.stop())

    async function start(settings: Settings = {}): Promise<void> {
      log = new RecordedLog()
      tickets = settings.route?.tickets ?? new MemoryEngine().tickets
      const app = make()
      settings.app?.(app)
      app.use((request, _response, next) => {
        if ('session' in settings) Object.assign(request, { session: settings.session })
        next()
      })
      if (settings.before) app.use(settings.before)
      const rules = { origins: [A], required: false, trusts: () => false, ...settings.origins }
      const origins = new OriginRules(rules)
      const options = {
        authentication: 'auth',
        tokenTtl: 30_000,
        log,
        tokens,
        origins,
        requests: new TokenRequests(),
        ...settings.route,
        limits: { ...LIMITS, ...settings.limits },
        tickets,
      }
      app.all(
        PATH,
        tokenGuard(origins, () => false),
        tokenRoute(options),
      )
      server = await TestServer.start(app as unknown as RequestListener)
    }

    const ask = (init: RequestInit = {}, query = '') => fetch(`${server.origin}${PATH}${query}`, init)
    /** The ticket of the token that an answer holds. */
    async function ticketOf(response: Response): Promise<TicketData> {
      expect(response.status).to.equal(200)
      const { token } = (await response.json()) as { token: string }
      return JSON.parse((await tickets.take(tokens.verify(token).ticket ?? '')) ?? '')
    }
    /** The answer's status and body. */
    async function answer(init?: RequestInit): Promise<readonly [number, unknown]> {
      const response = await ask(init)
      return [response.status, await response.json()]
    }
    const reasons = () => log.of('error').map(({ details }) => String(details.err))

    describe('answers', () => {
      for (const method of ['GET', 'POST']) {
        it(`${method} with a token and nothing else, never to be stored`, async () => {
          await start({ session: { auth: { id: 7 } } })
          const response = await ask({ method })
          expect(response.status).to.equal(200)
          expect(response.headers.get('cache-control')).to.equal('no-store')
          expect(response.headers.get('content-type')).to.match(/^application\/json/)
          expect(await response.json()).to.have.all.keys('token')
        })
      }

      it('each request with a token of its own', async () => {
        await start({ session: { auth: true } })
        const bodies = await Promise.all([0, 1, 2].map(async () => (await ask()).text()))
        expect(new Set(bodies).size).to.equal(3)
      })

      it('with a token whose ticket holds address and host', async () => {
        await start({ session: { auth: true }, app: (app) => app.set('trust proxy', true) })
        const headers = { 'X-Forwarded-For': '1.1.1.1, 2.2.2.2', 'X-Forwarded-Host': 'app.example.com' }
        const asked = Date.now()
        const { issuedAt, ...kept } = await ticketOf(await ask({ headers }))
        expect(issuedAt).to.be.within(asked, Date.now())
        expect(kept).to.deep.equal({
          auth: { auth: true },
          ip: '1.1.1.1',
          ips: ['1.1.1.1', '2.2.2.2'],
          host: 'app.example.com',
        })
      })

      it('with a token that keeps its ticket for `tokenTtl`', async () => {
        const put = sinon.spy(async () => {})
        const fake = {
          put,
          take: async () => undefined,
          claim: async () => true,
          revoke: async () => {},
          revoked: async () => undefined,
        }
        await start({ session: { auth: true }, route: { tickets: fake, tokenTtl: 1234 } })
        await ask()
        expect((put.args as unknown[][])[0]?.[0]).to.include({ ttl: 1234 })
      })
    })

    describe('with a session key', () => {
      it('gives the session’s data, without its cookie’s settings and methods', async () => {
        const before = session({ secret: 's', resave: false, saveUninitialized: true, genid: () => 'id' })
        const data = { auth: 'yes', user: { id: 7 }, list: [1] }
        await start({
          app: (app) => {
            app.use(before)
            app.use((request, _response, next) => {
              Object.assign(request.session, data)
              next()
            })
          },
        })
        expect((await ticketOf(await ask())).auth).to.deep.equal(data)
      })

      for (const value of [false, 0, '', null, undefined]) {
        it(`refuses when its value is ${JSON.stringify(value)}`, async () => {
          await start({ session: { auth: value, other: true } })
          expect(await answer()).to.deep.equal([403, FORBIDDEN])
          expect(log.of('debug')[0]?.details).to.have.property('key', 'auth')
        })
      }

      it('refuses when it is missing', async () => {
        await start({ session: {} })
        expect(await answer()).to.deep.equal([403, FORBIDDEN])
      })

      it('does not take what sessions inherit for a value', async () => {
        for (const authentication of ['toString', '__proto__', 'constructor']) {
          await start({ session: {}, route: { authentication } })
          expect((await ask()).status).to.equal(403)
          if (authentication !== 'constructor') await server.stop()
        }
      })

      for (const [what, settings] of [
        ['there is no session middleware', {}],
        ['the session is gone', { session: undefined }],
        ['the session is null', { session: null }],
      ] as [string, Settings][]) {
        it(`answers 500 when ${what}, and says what to do in the log only`, async () => {
          await start(settings)
          expect(await answer()).to.deep.equal([500, { error: 'Internal error' }])
          expect(log.of('error')).to.deep.equal([
            {
              level: 'error',
              message:
                'a token request failed: req.session is not there: mount the session middleware before TokenSocketServer, or give an authentication function',
              details: { option: 'authentication', key: 'auth' },
            },
          ])
        })
      }
    })

    describe('with an `authentication` function', () => {
      const cause = new Error('secret cause')
      type Answer = (error?: unknown, auth?: unknown) => void
      const cases: [what: string, authentication: Authentication, auth: unknown][] = [
        ['an object', () => ({ id: 7 }), { id: 7 }],
        ['a promise of an object', async () => ({ id: 7 }), { id: 7 }],
        ['an object by callback', (_request, callback) => callback(null, { id: 7 }), { id: 7 }],
        [
          'an object by callback, later',
          (_request: Request, callback: Answer) => void setImmediate(() => callback(null, { id: 7 })),
          { id: 7 },
        ],
        ['an object though it declares the callback', (_request, _callback) => ({ id: 7 }), { id: 7 }],
        ['a list', () => [7], [7]],
        ['true', () => true, { name: 'Ann' }],
        ['a promise of true', async () => true, { name: 'Ann' }],
        ['true by callback', (_request, callback) => callback(null, true), { name: 'Ann' }],
        ['a text', () => 'yes', { name: 'Ann' }],
        ['a number', () => 1, { name: 'Ann' }],
      ]
      for (const [what, authentication, auth] of cases) {
        it(`gives ${JSON.stringify(auth)} for ${what}`, async () => {
          const data = { name: 'Ann', cookie: { maxAge: 5 } }
          await start({ session: data, route: { authentication } })
          expect((await ticketOf(await ask())).auth).to.deep.equal(auth)
        })
      }

      it('gives {} for true where there is no session', async () => {
        await start({ route: { authentication: () => true } })
        expect((await ticketOf(await ask())).auth).to.deep.equal({})
      })

      it('is given the request', async () => {
        const authentication = (request: Request) => ({ header: request.get('x-user') })
        await start({ route: { authentication } })
        const { auth } = await ticketOf(await ask({ headers: { 'X-User': 'ann' } }))
        expect(auth).to.deep.equal({ header: 'ann' })
      })

      const falsy: [what: string, authentication: Authentication][] = [
        ['false', () => false],
        ['nothing', () => {}],
        ['a promise of null', async () => null],
        ['callback()', (_request, callback) => callback()],
        ['callback(null, 0)', (_request, callback) => callback(null, 0)],
        ['callback(null, "")', (_request, callback) => callback(null, '')],
      ]
      for (const [what, authentication] of falsy) {
        it(`refuses with 403 for ${what}`, async () => {
          await start({ session: { auth: true }, route: { authentication } })
          expect(await answer()).to.deep.equal([403, FORBIDDEN])
          expect(log.of('error')).to.deep.equal([])
          expect(log.of('debug').map(({ message }) => message)).to.deep.equal([
            'a token request is refused: authentication refuses',
          ])
        })
      }

      const unusable: [what: string, auth: object, details: object][] = [
        ['a uid that is a number', { uid: 42, umd: { name: 'Jim' } }, { field: 'uid', type: 'number' }],
        ['a uid that is null', { uid: null }, { field: 'uid', type: 'null' }],
        ['a uid that is an object', { uid: { id: 42 } }, { field: 'uid', type: 'object' }],
        ['a uid that is false', { uid: false }, { field: 'uid', type: 'boolean' }],
        ['a umd without a uid', { umd: { name: 'Jim' } }, { field: 'umd', type: 'object' }],
      ]
      for (const [what, auth, details] of unusable) {
        it(`takes no claims of ${what}, and warns once`, async () => {
          await start({ route: { authentication: () => auth } })
          const first = await ticketOf(await ask())
          expect([first.auth, first.hasClaims]).to.deep.equal([auth, undefined])
          await ask()
          const lines = log.of('warn')
          expect(lines.map((line) => line.details)).to.deep.equal([{ option: 'authentication', ...details }])
          expect(lines[0]?.message).to.include('String(id)')
        })
      }

      it('warns of no claims that count, and of nothing where there are none', async () => {
        for (const auth of [{ uid: '42', umd: 1 }, { umd: 1, channels: {} }, { id: 42 }, [42]]) {
          await start({ route: { authentication: () => auth } })
          await ticketOf(await ask())
          expect(log.of('warn')).to.deep.equal([])
          if (!Array.isArray(auth)) await server.stop()
        }
      })

      it('refuses claims with a uid that is no string beside `channels`', async () => {
        await start({ route: { authentication: () => ({ uid: 42, channels: {} }) } })
        expect(await answer()).to.deep.equal([500, { error: 'Internal error' }])
        expect(log.of('error')[0]?.details.err).to.have.property('code', 'bad_claims')
      })

      const failing: [what: string, authentication: Authentication][] = [
        [
          'it throws',
          () => {
            throw cause
          },
        ],
        ['it rejects', () => Promise.reject(cause)],
        ['it calls back with an error', (_request, callback) => callback(cause, { id: 7 })],
        [
          'it throws though it declares the callback',
          (_request, _callback) => {
            throw cause
          },
        ],
      ]
      for (const [what, authentication] of failing) {
        it(`answers 500 when ${what}, and says why in the log only`, async () => {
          await start({ session: { auth: true }, route: { authentication } })
          const response = await ask()
          expect(response.status).to.equal(500)
          expect(await response.text()).to.equal('{"error":"Internal error"}')
          expect(log.of('error').map(({ details }) => details.err)).to.deep.equal([cause])
        })
      }

      const banned = new RpcError('banned', 'You are banned', { until: 5 })
      for (const [what, authentication] of [
        ['throws', () => Promise.reject(banned)],
        ['calls back with', (_request, callback) => callback(banned)],
      ] as readonly [string, Authentication][]) {
        it(`refuses with the RpcError that it ${what}, whole`, async () => {
          await start({ session: { auth: true }, route: { authentication } })
          const refused = { error: 'You are banned', code: 'banned', data: { until: 5 } }
          expect(await answer()).to.deep.equal([403, refused])
          expect(log.of('error')).to.deep.equal([])
          expect(log.of('debug').map(({ details }) => details.code)).to.deep.equal(['banned'])
        })
      }

      it('refuses with the text of the code when an RpcError has no other', async () => {
        await start({ route: { authentication: () => Promise.reject(new RpcError('forbidden')) } })
        expect(await answer()).to.deep.equal([403, FORBIDDEN])
      })

      it('answers 500 when a call failed that it made, and when the data of its RpcError is no JSON', async () => {
        const peer = new RpcPeer(
          { timeout: 1000, callsOut: 0, callsIn: 1 },
          { threw: () => {} } as never,
          createTimeouts(),
        )
        for (const authentication of [
          () => peer.request(() => {}, undefined, 'ask'),
          () => Promise.reject(new RpcError('banned', 'Banned', { until: 5n })),
        ]) {
          await start({ route: { authentication } })
          expect(await answer()).to.deep.equal([500, { error: 'Internal error' }])
          expect(log.of('error')).to.have.length(1)
          await server.stop()
        }
      })

      it('counts its first answer when it calls back twice', async () => {
        for (const answers of [
          [null, true, null, false],
          [null, false, null, true],
          [null, true, cause],
        ]) {
          const [first, second] = [answers.slice(0, 2), answers.slice(2)]
          const authentication = (_request: Request, callback: Answer) => {
            callback(...first)
            callback(...second)
          }
          await start({ route: { authentication } })
          expect((await ask()).status).to.equal(first[1] ? 200 : 403)
          if (second[0] !== cause) await server.stop()
        }
      })

      // On the real clock: `fetch` keeps timers of its own, which a fake clock would leave standing for later tests.
      it('answers 500 when it never answers, after `authenticationTimeout`', async () => {
        const authentication = (_request: Request, _callback: Answer) => undefined
        await start({ route: { authentication }, limits: { authenticationTimeout: 5 } })
        expect((await ask()).status).to.equal(500)
        expect(reasons().join()).to.include('did not answer within 5 ms')
      })

      it('does no harm when it answers too late', async () => {
        const asked = new Inbox<Answer>()
        const authentication = (_request: Request, callback: Answer) => asked.put(callback) as undefined
        await start({ route: { authentication }, limits: { authenticationTimeout: 1 } })
        const response = ask()
        const late = await asked.next()
        expect((await response).status).to.equal(500)
        late(null, { id: 7 })
        late(cause)
        expect(log.of('error')).to.have.length(1)
      })

      const circular: Record<string, unknown> = {}
      circular.self = circular
      for (const [what, auth] of [
        ['a BigInt', { id: 1n }],
        ['itself', circular],
      ] as const) {
        it(`answers 500 when what it gives holds ${what}`, async () => {
          await start({ route: { authentication: () => auth } })
          expect(await answer()).to.deep.equal([500, { error: 'Internal error' }])
          expect(log.of('error')[0]?.details.err).to.have.property('code', 'unserializable')
        })
      }
    })

    describe('limits what it keeps', () => {
      const voidCount = async (answers: readonly Response[]) => {
        const all = answers.map(async (response) => {
          const { token } = (await response.json()) as { token: string }
          return tickets.take(tokens.verify(token).ticket ?? '')
        })
        return (await Promise.all(all)).map((json) => (json === undefined ? '-' : 'x')).join('')
      }
      const inTurn = async (count: number, init: (at: number) => RequestInit = () => ({})) => {
        const answers: Response[] = []
        for (let at = 0; at < count; at += 1) answers.push(await ask(init(at)))
        return answers
      }
      const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } })
      const trusting = (app: Express) => app.set('trust proxy', true)

      it('to `authData` bytes, and tells the log what to do', async () => {
        const session = { auth: true, pad: '' }
        await start({ session })
        session.pad = 'é'.repeat(490)
        expect((await answer())[0]).to.equal(500)
        expect(reasons()[0]).to.match(/has 10\d\d bytes \(limits.authData is 1000\)/)
        session.pad = 'é'.repeat(440)
        expect((await answer())[0]).to.equal(200)
      })

      it('to `ticketsPerUser` by its uid, wherever it asks from, and voids its oldest', async () => {
        const authentication = (request: Request) => ({ uid: String(request.query.uid ?? 'ann') })
        await start({ route: { authentication }, app: trusting })
        const ben = await ask({}, '?uid=ben')
        const answers = await inTurn(4, (at) => from(`192.0.2.${at}`))
        expect(await voidCount([...answers, ben])).to.equal('--xxx')
      })

      describe('a second', () => {
        const statuses = (answers: readonly Response[]) => answers.map(({ status }) => status)
        let clock: sinon.SinonFakeTimers

        beforeEach(() => {
          clock = sinon.useFakeTimers({ toFake: ['performance'] })
        })

        afterEach(() => clock.restore())

        it('to `tokenRequestsPerAddress`, before `authentication` is asked, and says when to come again', async () => {
          const authentication = sinon.fake.returns(false)
          await start({ route: { authentication }, limits: { tokenRequestsPerAddress: 4 }, app: trusting })
          const answers = await inTurn(6, (at) => from(`2001:db8::${at}`))
          expect(statuses(answers)).to.deep.equal([403, 403, 403, 403, 429, 429])
          expect(authentication.callCount).to.equal(4)
          const last = answers.at(-1) as Response
          expect(await last.json()).to.deep.equal({
            error: 'Over the limit of a rate: tokenRequestsPerAddress (limit 4)',
            code: 'rate_limited',
            data: { field: 'tokenRequestsPerAddress', limit: 4, retryAfter: 250 },
          })
          expect(last.headers.get('retry-after')).to.equal('1')
          const line = log.of('info').find(({ details }) => 'option' in details)
          expect(line?.details).to.deep.equal({
            ip: '2001:db8::4',
            option: 'limits.tokenRequestsPerAddress',
          })
          expect((await ask(from('192.0.2.9'))).status).to.equal(403)
          clock.tick(250)
          expect(statuses(await inTurn(2, () => from('2001:db8::9')))).to.deep.equal([403, 429])
        })

        it('to `tokenRequestsPerUser` by its uid, wherever it asks from', async () => {
          const authentication = (request: Request) => ({ uid: String(request.query.uid ?? 'ann') })
          await start({ route: { authentication }, limits: { tokenRequestsPerUser: 2 }, app: trusting })
          const answers = await inTurn(4, (at) => from(`192.0.2.${at}`))
          expect(statuses(answers)).to.deep.equal([200, 200, 429, 429])
          expect((await ask({}, '?uid=ben')).status).to.equal(200)
        })

        it('to `tokenRequestsPerUser` by its session', async () => {
          const before: RequestHandler = (request, _response, next) => {
            Object.assign(request, { sessionID: request.headers['x-session'] })
            next()
          }
          await start({ session: { auth: true }, before, limits: { tokenRequestsPerUser: 1 } })
          const answers = await inTurn(3, (at) => ({ headers: { 'X-Session': at === 0 ? 'b' : 'a' } }))
          expect(statuses(answers)).to.deep.equal([200, 200, 429])
        })

        it('within 5 % of it over ten seconds of a flood', async () => {
          await start({ session: { auth: true }, limits: { tokenRequestsPerAddress: 20 } })
          let passed = 0
          for (let tenth = 0; tenth < 100; tenth += 1) {
            passed += statuses(await inTurn(4)).filter((status) => status === 200).length
            clock.tick(100)
          }
          // The burst is a second's; then it is the rate.
          expect(passed - 20).to.be.within(20 * 10 * 0.95, 20 * 10 * 1.05)
        })
      })

      it('to `ticketsPerUser` by its session', async () => {
        const before: RequestHandler = (request, _response, next) => {
          Object.assign(request, { sessionID: request.headers['x-session'] })
          next()
        }
        await start({ session: { auth: true }, before })
        const answers = await inTurn(4, (at) => ({ headers: { 'X-Session': at === 0 ? 'b' : 'a' } }))
        expect(await voidCount(answers)).to.equal('x-xx')
      })

      it('to `ticketsPerAddress`, as Express sees it, and leaves other addresses alone', async () => {
        await start({ session: { auth: true }, app: trusting })
        const other = await ask(from('192.0.2.9'))
        const answers = await inTurn(7, (at) => from(`2001:db8::${at}`))
        expect(await voidCount([...answers, other])).to.equal('--xxxxxx')
      })
    })

    describe('when tickets cannot be kept', () => {
      it('answers 503 at the limit', async () => {
        const full = new MemoryEngine({ tickets: 1 }).tickets
        await start({ session: { auth: true }, route: { tickets: full } })
        expect((await ask()).status).to.equal(200)
        expect(await answer()).to.deep.equal([503, { error: 'Internal error' }])
        expect(log.of('error')[0]?.details.err).to.have.property('code', 'too_many_tickets')
      })

      it('answers 500 when the engine fails, and gives no token', async () => {
        const broken = {
          put: () => Promise.reject(new Error('down')),
          take: async () => undefined,
          claim: async () => true,
          revoke: async () => {},
          revoked: async () => undefined,
        }
        await start({ session: { auth: true }, route: { tickets: broken } })
        expect(await answer()).to.deep.equal([500, { error: 'Internal error' }])
        expect(reasons()).to.deep.equal(['Error: down'])
      })

      it('answers 500 even when the error is an RpcError of another kind', async () => {
        const broken = {
          put: () => Promise.reject(new RpcError('timeout')),
          take: async () => undefined,
          claim: async () => true,
          revoke: async () => {},
          revoked: async () => undefined,
        }
        await start({ session: { auth: true }, route: { tickets: broken } })
        expect((await ask()).status).to.equal(500)
      })
    })

    describe('by origin', () => {
      const authentication = sinon.spy(() => true)
      const settings: Settings = { route: { authentication } }

      beforeEach(() => authentication.resetHistory())

      const cors = ({ headers }: Response) => [
        headers.get('access-control-allow-origin'),
        headers.get('access-control-allow-credentials'),
      ]

      it('answers one on the list, with its CORS headers', async () => {
        await start(settings)
        const response = await ask({ headers: { Origin: A } })
        expect(response.status).to.equal(200)
        expect(cors(response)).to.deep.equal([A, 'true'])
        expect(response.headers.get('vary')).to.match(/\bOrigin\b/)
      })

      it('answers its own', async () => {
        await start(settings)
        const response = await ask({ method: 'POST', headers: { Origin: server.origin } })
        expect(response.status).to.equal(200)
      })

      it('answers a program that names none, without CORS headers', async () => {
        await start(settings)
        const response = await ask()
        expect(response.status).to.equal(200)
        expect(cors(response)).to.deep.equal([null, null])
      })

      for (const [what, headers] of [
        ['another origin', { Origin: 'https://evil.com' }],
        ['the origin `null`', { Origin: 'null' }],
        ['a cross-site page that hides its origin', { 'Sec-Fetch-Site': 'cross-site' }],
      ] as [string, Record<string, string>][]) {
        for (const method of ['GET', 'POST', 'OPTIONS']) {
          it(`refuses ${method} of ${what} with 403, without CORS headers, asking nobody`, async () => {
            await start(settings)
            const response = await ask({ method, headers })
            expect(response.status).to.equal(403)
            expect(await response.json()).to.deep.equal(ORIGIN_REFUSED)
            expect(cors(response)).to.deep.equal([null, null])
            expect(response.headers.get('cache-control')).to.equal('no-store')
            expect(authentication.called).to.equal(false)
          })
        }
      }

      it('refuses a program that names none where one is required', async () => {
        await start({ ...settings, origins: { required: true } })
        const response = await ask()
        expect([response.status, await response.json()]).to.deep.equal([403, ORIGIN_REFUSED])
      })

      it('answers a preflight, asking nobody', async () => {
        await start(settings)
        const headers = {
          Origin: A,
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'x-csrf-token',
        }
        const response = await ask({ method: 'OPTIONS', headers })
        expect(response.status).to.equal(204)
        expect(cors(response)).to.deep.equal([A, 'true'])
        expect(response.headers.get('access-control-allow-methods')).to.equal('GET, POST')
        expect(response.headers.get('access-control-allow-headers')).to.equal('x-csrf-token')
        expect(authentication.called).to.equal(false)
      })

      it('keeps what others said of Vary', async () => {
        const before: RequestHandler = (_request, response, next) => {
          response.vary('Accept-Encoding')
          next()
        }
        await start({ ...settings, before })
        expect((await ask()).headers.get('vary')).to.equal('Accept-Encoding, Origin')
      })
    })

    describe('by JSONP', () => {
      const own = () => ({ headers: { Referer: `${server.origin}/page` } })
      const text = async (query: string, init: RequestInit) => (await ask(init, query)).text()

      it('answers its own pages with a script', async () => {
        await start({ session: { auth: true } })
        const response = await ask(own(), '?callback=jQuery1_2.cb[0]')
        expect(response.status).to.equal(200)
        expect(response.headers.get('content-type')).to.match(/^text\/javascript/)
        expect(response.headers.get('x-content-type-options')).to.equal('nosniff')
        expect(response.headers.get('cache-control')).to.equal('no-store')
        expect(await response.text()).to.match(/jQuery1_2\.cb\[0\]\(\{"token":"[^"]+"\}\);$/)
      })

      it('answers the pages of the list', async () => {
        await start({ session: { auth: true } })
        expect(await text('?callback=f', { headers: { Referer: `${A}/page` } })).to.match(/f\(\{"token"/)
      })

      // As helmet is by default: no page of another origin gets the script unless the answer says so.
      it('may be embedded by the pages of the list, whatever a middleware says of the site, and by no others', async () => {
        const policy = 'Cross-Origin-Resource-Policy'
        const before: RequestHandler = (_request, response, next) => {
          response.set(policy, 'same-origin')
          next()
        }
        await start({ session: { auth: true }, before })
        const policyFor = async (page: string, query = '?callback=f') =>
          (await ask({ headers: { Referer: page } }, query)).headers.get(policy)
        expect(await policyFor(`${A}/page`)).to.equal('cross-origin')
        expect(await policyFor('https://evil.com/')).to.equal('same-origin')
        expect(await policyFor(`${A}/page`, '')).to.equal('same-origin')
      })

      for (const [what, headers] of [
        ['no Referer', {}],
        ['another site’s Referer', { Referer: 'https://evil.com/' }],
        ['another site’s Origin', { Origin: 'https://evil.com' }],
        ['a Referer that is no URL', { Referer: 'garbage' }],
      ] as [string, Record<string, string>][]) {
        it(`refuses a request with ${what}, with no token in it`, async () => {
          await start({ session: { auth: true } })
          const response = await ask({ headers }, '?callback=f')
          expect(response.status).to.equal(403)
          expect(await response.text()).to.not.include('token')
        })
      }

      it('says 403 by script to who is not signed in', async () => {
        await start({ session: {} })
        const response = await ask(own(), '?callback=f')
        expect(response.status).to.equal(403)
        expect(await response.text()).to.match(/f\(\{"error":"Forbidden"/)
      })

      for (const callback of [
        '',
        'a(b)',
        'alert(1)//',
        '<script>',
        'a b',
        'a;b',
        'a=b',
        'a"',
        '\u2028',
        'x'.repeat(129),
      ]) {
        it(`refuses the callback ${JSON.stringify(callback.slice(0, 20))} with 400`, async () => {
          await start({ session: { auth: true } })
          const response = await ask(own(), `?callback=${encodeURIComponent(callback)}`)
          expect(response.status).to.equal(400)
          expect(response.headers.get('content-type')).to.match(/^application\/json/)
          expect(await response.json()).to.deep.equal({
            error: 'Invalid callback name',
            code: 'bad_message',
          })
        })
      }

      for (const query of ['?callback=a&callback=b', '?callback[x]=a', '?callback[]=a&callback[]=b']) {
        it(`refuses ${query}`, async () => {
          await start({ session: { auth: true } })
          const body = await text(query, own())
          expect(body).to.not.match(/^\/\*\*\//)
        })
      }

      it('does not apply to POST', async () => {
        await start({ session: { auth: true } })
        const response = await ask({ method: 'POST' }, '?callback=f')
        expect(await response.json()).to.have.all.keys('token')
      })
    })
  })

  describe(`the token route of a whole server on ${name}`, () => {
    let server: TestServer
    let app: Express
    const sockets: TokenSocketServer[] = []

    beforeEach(async () => {
      app = make()
      server = await TestServer.start(app as unknown as RequestListener)
    })

    afterEach(async () => {
      for (const one of sockets.splice(0)) await one.shutdown()
      await server.stop()
    })

    const open = (options: Partial<TokenSocketServerOptions> = {}) => {
      const one = new TokenSocketServer({
        app,
        server: server.http,
        secret: 's',
        authentication: () => true,
        logger: new RecordedLog(),
        ...options,
      })
      sockets.push(one)
      return one
    }
    const ask = (init: RequestInit = {}) => fetch(`${server.origin}${PATH}`, init)

    it('answers GET, POST and OPTIONS, and leaves other methods to the application', async () => {
      open()
      app.use((_request, response) => response.status(418).send('app'))
      expect((await ask()).status).to.equal(200)
      expect((await ask({ method: 'POST' })).status).to.equal(200)
      expect((await ask({ method: 'OPTIONS' })).status).to.equal(204)
      for (const method of ['PUT', 'DELETE']) expect((await ask({ method })).status).to.equal(418)
    })

    it('runs customMiddleware after the guard and before `authentication`', async () => {
      const log: string[] = []
      const step =
        (text: string): RequestHandler =>
        (_request, _response, next) => {
          log.push(text)
          next()
        }
      open({
        customMiddleware: [step('one'), step('two')],
        authentication: () => log.push('authentication'),
      })
      await ask()
      expect(log).to.deep.equal(['one', 'two', 'authentication'])
      await ask({ headers: { Origin: 'https://evil.com' } })
      expect(log).to.have.length(3)
    })

    it('answers 503 from shutdown on: a 404 would tell clients never to come back', async () => {
      const one = open()
      expect(await (await ask()).json()).to.have.all.keys('token')
      await one.shutdown()
      for (const method of ['GET', 'POST', 'OPTIONS']) {
        const response = await ask({ method })
        expect([response.status, response.headers.get('retry-after')]).to.deep.equal([503, '1'])
        expect(await response.json()).to.have.property('code', 'shutting_down')
      }
    })
  })
}

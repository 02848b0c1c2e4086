import { EventEmitter } from 'node:events'
import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import { createServer as createNetServer } from 'node:net'
import { type Engine, MemoryEngine, RpcError, type TokenSocketServerOptions } from '@token-socket/server'
import { expect } from 'chai'
import express from 'express'
import express4 from 'express4'
import { LEGACY_LIMITS } from '#server/options/legacy-limits.js'
import { DEFAULT_LIMITS } from '#server/options/limits.js'
import { resolveOptions } from '#server/options.js'
import { TRANSPORT_NAMES } from '#server/transports/transport-names.js'
import { thrownBy } from '../protocol/rejection.js'

const required = { app: express(), server: createServer() }
const shared: Engine = Object.assign(Object.create(new MemoryEngine()), { name: 'many', shared: true })

/** The option that is refused. */
function refusedOption(options: object): unknown {
  const error = thrownBy(() => resolveOptions(options as TokenSocketServerOptions)) as RpcError
  expect(RpcError.is(error)).to.equal(true)
  expect(error.code).to.equal('bad_option')
  return (error.data as { field: string }).field
}

describe('resolveOptions', () => {
  it('sets some for `legacy`, where they are left out', () => {
    const { limits, plainErrors, channelsAsObject } = resolveOptions({ ...required, legacy: true })
    expect([plainErrors, channelsAsObject]).to.deep.equal([true, true])
    const { limits: usual, ...others } = resolveOptions(required)
    expect(limits).to.deep.equal({ ...usual, ...LEGACY_LIMITS })
    for (const [name, limit] of Object.entries(LEGACY_LIMITS))
      expect(limit, name).to.be.above(usual[name as keyof typeof usual])
    // A message costs more the larger it is; see docs/MIGRATION.md.
    expect(limits.message / usual.message).to.be.at.most(4)
    expect(limits.publication).to.be.at.most(limits.message)
    const legacy = { legacy: true, plainErrors: true, channelsAsObject: true }
    const {
      limits: _limits,
      engine: _engine,
      logger: _logger,
      ...set
    } = resolveOptions({ ...required, legacy: true })
    expect({ ...others, ...legacy }).to.deep.include(set)
  })

  it('lets options win over `legacy`, and a preset, too', () => {
    const given = { plainErrors: false, channelsAsObject: false }
    const limits = { callTimeout: 5, preset: 'sandbox' } as const
    const resolved = resolveOptions({ ...required, legacy: true, ...given, limits })
    expect(resolved).to.include(given)
    expect(resolved.limits).to.include({
      callTimeout: 5,
      callsIn: 10,
      publication: LEGACY_LIMITS.publication,
    })
  })

  it('fills in what was left out', () => {
    const { app, server, engine, logger, ...rest } = resolveOptions(required)
    expect({ app, server }).to.deep.equal(required)
    expect(engine).to.be.instanceOf(MemoryEngine)
    expect(logger).to.have.keys('debug', 'info', 'warn', 'error', 'isLevelEnabled')
    expect(rest).to.deep.equal({
      audience: 'token-socket',
      tokenTtl: 30_000,
      enforceExpiry: true,
      authTimeout: 5000,
      prefix: '/sockets',
      transports: ['websocket', 'xhr-streaming', 'xhr-polling', 'eventsource'],
      perMessageDeflate: false,
      serveClient: true,
      tokenRoute: '/socket/token',
      authentication: 'auth',
      customMiddleware: [],
      healthRoute: '/sockets/health',
      socketController: {},
      functions: {},
      routes: {},
      channels: {},
      ping: true,
      pingInterval: 25_000,
      pingTimeout: 10_000,
      presenceGrace: 5000,
      revocationTtl: 3_600_000,
      revocationStaleness: 30_000,
      closeWhenStale: false,
      connectionHeaders: [],
      connectionQuery: [],
      origins: [],
      requireOrigin: false,
      bindSessions: 'address',
      legacy: false,
      plainErrors: false,
      channelsAsObject: false,
      debug: false,
      limits: {
        message: 1024 * 1024,
        abandonedCalls: 1000,
        connections: 100_000,
        authMessage: 8192,
        publication: 32 * 1024,
        outbox: 1024 * 1024,
        readTimeout: 5000,
        answers: 16 * 1024 * 1024,
        historyPage: 256 * 1024,
        callsIn: 1000,
        callBytes: 8 * 1024 * 1024,
        rate: 10_000,
        tokenRequestsPerUser: 1000,
        tokenRequestsPerAddress: 5000,
        wrongMessages: 1000,
        messagesPerSecond: Number.POSITIVE_INFINITY,
        messagesBurst: Number.POSITIVE_INFINITY,
        userMessagesPerSecond: Number.POSITIVE_INFINITY,
        userMessagesBurst: Number.POSITIVE_INFINITY,
        rateRefusals: 1000,
        fragments: 2048,
        publicationRate: 1000,
        publicationBytes: 8 * 1024 * 1024,
        broadcastRate: 10,
        presenceRate: 20,
        callsOut: 1000,
        callTimeout: 30_000,
        subscriptions: 1000,
        subscriptionsPerUser: 100_000,
        presencesPerUser: 10_000,
        socketsPerUser: 1000,
        channelsPerUser: 10_000,
        members: 1000,
        revocations: 100_000,
        vetoTimeout: 5000,
        authenticationTimeout: 10_000,
        connectAuthentications: 64,
        connectionsPerAddress: 20_000,
        authData: 64 * 1024,
        ticketsPerAddress: 20_000,
        ticketsPerUser: 1000,
        bodyTimeout: 30_000,
        bodyBytes: 64 * 1024 * 1024,
        bodyBytesPerAddress: 16 * 1024 * 1024,
      },
    })
  })

  it('takes what is given', () => {
    const engine = new MemoryEngine()
    const authentication = async () => true
    const given = {
      engine,
      authentication,
      prefix: '/a/b.c~d_e-1',
      tokenRoute: '/t',
      ping: false,
      origins: '*' as const,
      secret: 'secret',
      filter: () => null,
    }
    expect(resolveOptions({ ...required, ...given })).to.include(given)
  })

  it('takes any transports, and settings of compression', () => {
    const transports = [...TRANSPORT_NAMES]
    const perMessageDeflate = { threshold: 1, serverMaxWindowBits: 9, zlibDeflateOptions: { level: 1 } }
    const connectAuthentication = () => false
    expect(resolveOptions({ ...required, connectAuthentication, transports, perMessageDeflate })).to.include({
      transports,
      perMessageDeflate,
    })
    expect(resolveOptions({ ...required, perMessageDeflate: true }).perMessageDeflate).to.equal(true)
  })

  for (const sockjsUrl of [
    '/sockjs.min.js',
    '/a/b-1.6.1_x~.js?v=1&w=$&',
    'https://cdn.example.com:8443/s.js',
    'http://[::1]/s.js#x',
  ]) {
    it(`takes the script ${sockjsUrl}`, () => {
      expect(resolveOptions({ ...required, sockjsUrl }).sockjsUrl).to.equal(sockjsUrl)
    })
  }

  it('takes no grace at all', () => {
    expect(resolveOptions({ ...required, presenceGrace: 0 }).presenceGrace).to.equal(0)
  })

  it('gives each server an engine of its own', () => {
    expect(resolveOptions(required).engine).to.not.equal(resolveOptions(required).engine)
  })

  it('takes servers of http, https and http2', () => {
    for (const server of [
      createServer(),
      createHttpsServer(),
      createSecureServer({ allowHTTP1: true }),
    ] as Server[])
      expect(resolveOptions({ ...required, server }).server).to.equal(server)
  })

  it('takes an Express 4 application', () => {
    const app = express4() as unknown as TokenSocketServerOptions['app']
    expect(resolveOptions({ ...required, app }).app).to.equal(app)
  })

  it('takes `undefined` for left out', () => {
    const options = { ...required, prefix: undefined, authentication: undefined, origins: undefined }
    const resolved = resolveOptions(options as unknown as TokenSocketServerOptions)
    expect(resolved).to.include({ prefix: '/sockets', authentication: 'auth' })
    expect(resolved.origins).to.deep.equal([])
  })

  it('takes `undefined` for left out among the limits too', () => {
    const options = { ...required, limits: { outbox: undefined, message: 5 } }
    const { limits } = resolveOptions(options as unknown as TokenSocketServerOptions)
    expect(limits).to.include({ outbox: 1024 * 1024, message: 5 })
  })

  it('changes one limit and leaves the others', () => {
    const { limits } = resolveOptions({ ...required, limits: { outbox: 5 } })
    expect(limits).to.include({ outbox: 5, message: 1024 * 1024 })
  })

  it('warns of options and limits that do not exist, and of no others', () => {
    const warned: unknown[] = []
    const logger = { debug() {}, info() {}, error() {}, warn: (details: object) => warned.push(details) }
    const misspelt = { pingIntervall: 1000, limits: { callsIn: 5, callIn: 5 } }
    resolveOptions({ ...required, secret: 's', debug: true, logger, ...misspelt } as never)
    expect(warned).to.deep.equal([
      { option: 'pingIntervall', didYouMean: 'pingInterval' },
      { option: 'limits.callIn', didYouMean: 'limits.callsIn' },
    ])
  })

  for (const [name, meant] of [
    ['socketPrefix', 'prefix'],
    ['tokenPath', 'tokenRoute'],
    ['tokenTTL', 'tokenTtl'],
    ['Origins', 'origins'],
    ['cors', 'origins'],
    ['pubsubClient', 'engine'],
    ['chanels', 'channels'],
    ['somethingElse', undefined],
  ]) {
    it(`asks whether ${meant} was meant by ${name}`, () => {
      const warned: { didYouMean?: string }[] = []
      const logger = { debug() {}, info() {}, error() {}, warn: (details: object) => warned.push(details) }
      resolveOptions({ ...required, secret: 's', logger, [String(name)]: 1 } as never)
      expect(warned.map(({ didYouMean }) => didYouMean)).to.deep.equal([meant])
    })
  }

  for (const [mistake, given, text] of [
    ['only the application', required.app, 'options has to be one object, not an Express application'],
    ['only the HTTP server', required.server, 'options has to be one object, not an HTTP server'],
    [
      'a router as app',
      { ...required, app: express.Router() },
      'app has to be an Express application, not a Router',
    ],
    [
      'no server',
      { app: required.app },
      'server has to be an HTTP server, not nothing: make one by http.createServer',
    ],
    [
      'a port as server',
      { ...required, server: 3000 },
      'server has to be an HTTP server, not a number: make one',
    ],
    [
      'an HTTP/2 server without TLS',
      { ...required, server: createHttp2Server() },
      'server has to take HTTP/1.1: give http2.createSecureServer({ allowHTTP1: true, … }), or an HTTP',
    ],
    [
      'the application as server',
      { ...required, server: required.app },
      'not an Express application: make one',
    ],
    [
      'a number as secret',
      { ...required, secret: 42 },
      'secret has to be a string or a Buffer, not a number: make one',
    ],
    ['an empty secret', { ...required, secret: '' }, 'secret must not be empty: make one by node -p'],
  ] as const) {
    it(`says what to give instead of ${mistake}`, () => {
      expect(() => resolveOptions(given as never))
        .to.throw(`Invalid option: `)
        .with.property('message')
        .that.includes(text)
    })
  }

  it('changes nothing of what it is given', () => {
    const options = Object.freeze({ ...required, limits: Object.freeze({ outbox: 5 }) })
    resolveOptions(options)
    expect(options).to.deep.equal({ ...required, limits: { outbox: 5 } })
  })

  it('refuses what is no object', () => {
    for (const options of [undefined, null, 5, 'text']) {
      expect(refusedOption(options as unknown as object)).to.equal('options')
    }
  })

  const bad: [option: string, values: unknown[]][] = [
    ['enforceExpiry', [null, 0, 'true']],
    ['legacy', [null, 0, 'true']],
    ['plainErrors', [null, 0, 'true']],
    ['channelsAsObject', [null, 0, 'true']],
    ['sessionTtl', [null, 0, -1, Number.NaN, '5000']],
    ['app', [undefined, null, {}, () => {}, 'app', express.Router(), express4.Router(), createServer()]],
    [
      'server',
      [
        undefined,
        null,
        {},
        8080,
        express(),
        express4(),
        process,
        new EventEmitter(),
        { on() {} },
        createNetServer(),
        createHttp2Server(),
        createSecureServer(),
        createSecureServer({ allowHTTP1: false }),
      ],
    ],
    ['logger', [null, 5, 'console', {}, { info() {}, warn() {} }]],
    ['socketController', [null, 5, 'controller', () => {}, []]],
    ['routes', [null, 5, 'routes', () => {}]],
    ['authentication', [null, 5, {}, true, '']],
    ['secret', ['', Buffer.alloc(0), 42, null, {}, true, () => 'secret']],
    ['keys', [null, 5, 'key', {}]],
    ['audience', ['', 5, null, ['a']]],
    ['issuer', ['', 5, null]],
    ['filter', [null, 5, 'filter', {}]],
    ['customMiddleware', [null, 5, 'cors', [() => {}, 'cors'], [undefined]]],
    ['tokenTtl', [0, -1, Number.NaN, '30000', null]],
    ['authTimeout', [0, -1, Number.NaN, '5000', null]],
    ['presenceGrace', [-1, Number.NaN, '5000', null, Number.POSITIVE_INFINITY, 2 ** 31]],
    ['pingInterval', [0, -1, Number.NaN, '25000', null]],
    ['bindSessions', ['', 'ip', 'Address', true, null, ['cookie']]],
    ['prefix', ['', '/', 'sockets', '/sockets/', '/a b', '/a?b', '/a#b', '/:id', '/a*', '/(a)', null, /a/]],
    [
      'transports',
      [[], ['iframe'], ['xhr'], ['websocket', 'XHR-polling'], [undefined], 'websocket', null, {}, 5],
    ],
    [
      'perMessageDeflate',
      [null, 5, 'true', [], { serverMaxWindowBits: 50 }, { zlibDeflateOptions: { level: 99 } }],
    ],
    [
      'sockjsUrl',
      [
        ...[
          '',
          'sockjs.js',
          './sockjs.js',
          '//cdn.example.com/s.js',
          '/\\\\cdn.example.com/s.js',
          '/\t/cdn/s.js',
        ],
        ...[
          'javascript:alert(1)',
          'data:text/javascript,x',
          'ftp://a/s.js',
          'https:',
          'https://',
          'https://a b/s.js',
        ],
        ...[
          '/s.js"><script>',
          '/s.js"',
          "/s.js'",
          '/s.js>',
          '/<s.js',
          '/s`.js',
          '/s.js\n',
          '/é.js',
          null,
          5,
          new URL('https://a/s.js'),
        ],
      ],
    ],
    [
      'tokenRoute',
      ['/sockets', '/sockets/token', '', '/', 'token', '/token/', '//token', '/:token', '/a\n', null, 5],
    ],
  ]
  for (const [option, values] of bad) {
    for (const value of values) {
      const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
      it(`refuses ${option}: ${shown}`, () => {
        expect(refusedOption({ ...required, [option]: value })).to.equal(option)
      })
    }
  }

  for (const limit of Object.keys(DEFAULT_LIMITS)) {
    const isTime = limit.endsWith('Timeout')
    for (const value of [0, -1, Number.NaN, '5', null, ...(isTime ? [] : [1.5, 0.5, -1.5])]) {
      it(`refuses limits.${limit}: ${value} (${typeof value})`, () => {
        expect(refusedOption({ ...required, limits: { [limit]: value } })).to.equal(`limits.${limit}`)
      })
    }

    it(`takes limits.${limit}: ${isTime ? 'parts of a millisecond' : 'a whole number, or Infinity'}`, () => {
      for (const value of isTime ? [1.5] : [2, Number.POSITIVE_INFINITY])
        expect(resolveOptions({ ...required, limits: { [limit]: value } }).limits).to.have.property(
          limit,
          value,
        )
    })
  }

  it('refuses times that timers would take for one millisecond', () => {
    for (const ms of [2 ** 31, Number.POSITIVE_INFINITY]) {
      for (const option of ['pingInterval', 'revocationTtl', 'revocationStaleness'])
        expect(refusedOption({ ...required, [option]: ms })).to.equal(option)
      expect(refusedOption({ ...required, limits: { vetoTimeout: ms } })).to.equal('limits.vetoTimeout')
      const limits = { authenticationTimeout: ms }
      expect(refusedOption({ ...required, limits })).to.equal('limits.authenticationTimeout')
    }
    const longest = 2 ** 31 - 1
    expect(resolveOptions({ ...required, pingInterval: longest }).pingInterval).to.equal(longest)
  })

  for (const engine of [5, 'redis', {}, { url: 'redis://localhost' }, () => new MemoryEngine()]) {
    it(`refuses ${typeof engine === 'object' ? JSON.stringify(engine) : `a ${typeof engine}`} as an engine`, () => {
      expect(refusedOption({ ...required, engine })).to.equal('engine')
    })
  }

  describe('with an engine that nodes share', () => {
    it('refuses to do without a secret, and names the engine', () => {
      expect(() => resolveOptions({ ...required, engine: shared })).to.throw(
        /^Invalid option: secret .*"many"/,
      )
      expect(refusedOption({ ...required, engine: shared })).to.equal('secret')
    })

    it('takes a secret, or keys', () => {
      expect(resolveOptions({ ...required, engine: shared, secret: 's' }).engine).to.equal(shared)
      const keys = { k1: { algorithm: 'HS256', key: 's' } } as const
      expect(resolveOptions({ ...required, engine: shared, keys }).keys).to.equal(keys)
    })
  })
})

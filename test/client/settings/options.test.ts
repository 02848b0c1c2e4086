import { expect } from 'chai'
import sinon from 'sinon'
import { readOptions, type TokenSocketOptions } from '#client/settings/options.js'
import { restoreGlobals, setGlobal } from '../globals.js'

describe('readOptions', () => {
  afterEach(restoreGlobals)

  it('fills in the defaults', () => {
    expect(readOptions({ host: 'x' })).to.deep.equal({
      address: { http: 'http://x', websocket: 'ws://x' },
      headers: {},
      tokenPath: '/socket/token',
      socketPrefix: '/sockets',
      reconnect: true,
      authentication: {},
      sockjs: {},
      transports: ['websocket'],
      webSocket: undefined,
      ping: 0,
      ready: undefined,
      onreconnect: undefined,
      jsonp: false,
      retryRateLimited: false,
      legacy: false,
      plainErrors: false,
      callTimeout: 30_000,
      connectTimeout: 10_000,
      queueSize: 1000,
      limits: { callsOut: 2000, callsIn: 1000, grantedChannels: 10_000 },
      logger: {},
      notices: console,
      token: undefined,
      url: undefined,
      tokenAttempts: 2,
      lazy: false,
    })
  })

  const LEGACY = {
    plainErrors: true,
    callTimeout: 3_600_000,
    queueSize: 100_000,
    limits: { callsOut: 100_000, callsIn: 100_000, grantedChannels: 10_000 },
  }

  it('sets some for `legacy`, where they are left out', () => {
    const usual = readOptions({ host: 'x' })
    const settings = readOptions({ host: 'x', legacy: true })
    expect(settings).to.deep.equal({ ...usual, legacy: true, ...LEGACY })
    const nothing = { plainErrors: undefined, callTimeout: undefined, queueSize: undefined, limits: {} }
    expect(readOptions({ host: 'x', legacy: true, ...nothing })).to.deep.include(LEGACY)
    const given = { plainErrors: false, callTimeout: 0, queueSize: 0 }
    const { limits, ...read } = readOptions({ host: 'x', legacy: true, ...given, limits: { callsIn: 5 } })
    expect(read).to.deep.include(given)
    expect(limits).to.deep.equal({ ...LEGACY.limits, callsIn: 5 })
  })

  it('leaves the options as they were', () => {
    const options = Object.freeze({ host: 'x:8000' })
    readOptions(options)
    expect(options).to.deep.equal({ host: 'x:8000' })
  })

  const wrong: { readonly [Name in keyof TokenSocketOptions]-?: readonly unknown[] } = {
    host: [1],
    port: ['80', 0, 1.5, 70_000],
    headers: ['Cookie: a', { Cookie: 1 }],
    tokenPath: ['token', 1],
    socketPrefix: ['sockets', null],
    reconnect: ['yes'],
    authentication: ['foo', ['foo']],
    token: ['', 5, {}],
    url: ['http://localhost', {}, null],
    tokenAttempts: [0, '2'],
    lazy: ['yes'],
    sockjs: ['xhr-polling'],
    transports: [[], 'websocket', ['carrier-pigeon']],
    webSocket: [{}, 'ws'],
    ping: ['1000', -1, Number.NaN],
    ready: [true],
    onreconnect: ['later'],
    jsonp: [1],
    retryRateLimited: [1],
    legacy: [1, 'yes', null],
    plainErrors: [1, 'yes'],
    callTimeout: ['30s'],
    connectTimeout: [0],
    queueSize: [-1],
    limits: [3, { callsIn: 0 }, { callsOut: '5' }],
    logger: ['console', { debug: 5 }, { warn: 'loudly' }],
    logLevel: ['loud', true],
  }
  for (const [name, values] of Object.entries(wrong)) {
    it(`refuses a wrong \`${name}\``, () => {
      for (const value of values) {
        const read = () => readOptions({ host: 'x', [name]: value } as TokenSocketOptions)
        expect(read).to.throw(name).with.property('code', 'bad_option')
      }
    })
  }

  for (const value of ['localhost', 5, ['localhost'], () => {}, false]) {
    it(`refuses options that are ${JSON.stringify(value) ?? 'a function'}`, () => {
      expect(() => readOptions(value as TokenSocketOptions))
        .to.throw('options has to be an object')
        .with.deep.include({ code: 'bad_option', data: { field: 'options' } })
    })
  }

  it('writes no more to the log than `logLevel` says', () => {
    const logger = { debug: sinon.spy(), warn: sinon.spy() }
    const at = (logLevel: 'debug' | 'warn' | 'none') => readOptions({ host: 'x', logger, logLevel }).logger
    at('none').warn?.('a')
    at('warn').debug?.('b')
    at('warn').warn?.('c', 1)
    at('debug').debug?.('d')
    expect([logger.debug.args, logger.warn.args]).to.deep.equal([[['d']], [['c', 1]]])
    expect(readOptions({ host: 'x', logLevel: 'debug' }).logger).to.equal(console)
  })

  it('takes `null` for no options', () => {
    setGlobal('location', { host: 'page', protocol: 'http:' })
    expect(readOptions(null)).to.deep.equal(readOptions())
  })

  it('takes `ping: false` for none', () => {
    expect(readOptions({ host: 'x', ping: false } as unknown as TokenSocketOptions).ping).to.equal(0)
  })

  it('knows SockJS in a browser', () => {
    setGlobal('location', { host: 'page', protocol: 'https:' })
    const transports = (sockjs: Record<string, unknown>) => readOptions({ sockjs }).transports
    expect(transports({})).to.deep.equal(['websocket', 'sockjs'])
    expect(transports({ transports: ['websocket', 'xhr-polling'] })).to.deep.equal(['websocket', 'sockjs'])
    expect(transports({ transports: ['xhr-polling'] })).to.deep.equal(['sockjs'])
    expect(transports({ transports: 'xhr-polling' })).to.deep.equal(['sockjs'])
  })
})

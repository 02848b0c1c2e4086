import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { RpcError, TokenSocket } from '@token-socket/client'
import { expect } from 'chai'
import sinon from 'sinon'
import { failureText } from '#client/advice/failure-text.js'
import { failureText as shortFailureText } from '#client/advice/short-failure-text.js'
import { readOptions, type TokenSocketOptions } from '#client/settings/options.js'
import { restoreGlobals, setGlobal } from './globals.js'
import { errorOf, until } from './waiting.js'
import { World } from './world.js'

const URL_OF = { token: 'http://x/socket/token', socket: 'ws://x/sockets/websocket' }

const token = (why: string, cause?: unknown) =>
  new RpcError('token_failed', `The token request to ${URL_OF.token} failed: ${why}`, undefined, cause)
const refused = (status: number) =>
  new RpcError('token_refused', `Forbidden, HTTP status ${status} from ${URL_OF.token}`, { status })
const socket = (why: string) =>
  new RpcError('transport_failed', `websocket failed: ${URL_OF.socket}: ${why}`, undefined, new Error(why))

/** The failure, and what the text has to name. */
const REMEDIES: readonly (readonly [error: RpcError, ...parts: readonly string[]])[] = [
  [refused(403), 'the token request', 'Sign in', '`authentication`'],
  [refused(401), 'Sign in', 'cookie'],
  [refused(404), '`tokenPath`', '`tokenRoute`'],
  [refused(405), '`tokenPath`'],
  [refused(400), 'log'],
  [new RpcError('origin_refused', `Not allowed from ${URL_OF.token}`), '`origins`', '`changeOrigin`'],
  [new RpcError('origin_refused', 'x'), 'proxy_set_header Host $http_host', 'ProxyPreserveHost'],
  [token('fetch failed: ECONNREFUSED'), 'Nothing listens', '`host`', '`port`'],
  [token('fetch failed', Object.assign(new Error('x'), { code: 'ENOTFOUND' })), '`host`'],
  [token('fetch failed: ENOTFOUND'), 'does not resolve'],
  [token('fetch failed: DEPTH_ZERO_SELF_SIGNED_CERT'), 'certificate', 'NODE_EXTRA_CA_CERTS'],
  [token('fetch failed: ERR_TLS_CERT_ALTNAME_INVALID'), 'certificate'],
  [token('fetch failed: ERR_SSL_WRONG_VERSION_NUMBER'), 'TLS', 'http://'],
  [token('fetch failed: HPE_INVALID_CONSTANT'), 'No HTTP server'],
  [token('fetch failed: UND_ERR_SOCKET'), 'https://'],
  [token('HTTP status 502'), 'proxy does not reach'],
  [token('Internal error, HTTP status 500'), 'session middleware'],
  [token('not JSON'), 'login page', '`tokenPath`'],
  [token('no token in the answer'), 'Something else'],
  [token('no answer in time'), '`next`'],
  [token('Failed to fetch (is http://page allowed?)'), '`origins`', 'connect-src'],
  [token('Failed to fetch'), 'does not run'],
  [socket('forbidden'), 'the connection', 'connect-src'],
  [socket('Unexpected server response: 404'), '`socketPrefix`', 'Upgrade', '`server.listen()`'],
  [socket('Unexpected server response: 200'), '`socketPrefix`', '`app.listen()`'],
  [socket('Unexpected server response: 403'), '`origins`', '`changeOrigin`'],
  [socket('Unexpected server response: 502'), 'proxy does not reach'],
  [socket('closed, code 1006'), '`socketPrefix`', 'Upgrade'],
  [socket('connect ECONNREFUSED 127.0.0.1:1'), 'Nothing listens'],
  [new RpcError('invalid_token'), 'the sign-in', 'ws://x/sockets', '`secret`', 'clocks'],
  [new RpcError('timeout', 'websocket: no answer'), 'the sign-in', 'Something else'],
  [new RpcError('too_many_sockets'), 'the sign-in', 'limits.socketsPerUser'],
  [new RpcError('engine_unavailable'), 'the sign-in', 'log of the server'],
  [new RpcError('internal'), 'the sign-in', 'listener', 'middleware', 'log of the server'],
  [new RpcError('veto_timeout'), 'the sign-in', 'listener', 'middleware', 'log of the server'],
  [new RpcError('forbidden'), 'the sign-in', '`authentication`', 'listeners', "use('authentication')"],
  [
    new RpcError('banned', 'You are banned'),
    'the sign-in',
    'ws://x/sockets',
    '`authentication`',
    'listeners',
  ],
  [new RpcError('application_error', 'No'), 'the sign-in', '`authentication`', 'listeners'],
  [new RpcError('banned', 'No', undefined, refused(403)), 'the token request', '`authentication`'],
]

describe('the text of a failure before the first `ready`', () => {
  afterEach(restoreGlobals)

  const textOf = (error: RpcError, options: TokenSocketOptions = { host: 'x' }) =>
    failureText(error, readOptions(options))

  for (const [error, ...parts] of REMEDIES) {
    it(`names the step, the URL, the cause and the remedy: ${error.code}: ${error.message}`, () => {
      const text = textOf(error)
      expect(text).to.match(/^TokenSocket is not ready: .* fails\. /)
      expect(text).to.match(/(http|ws):\/\/x\/socket/)
      expect(text).to.include(error.message)
      for (const part of parts) expect(text).to.include(part)
    })
  }

  it('speaks of the option `token` where there is one', () => {
    const error = new RpcError('token_failed', 'The token request failed: no token in the answer')
    expect(textOf(error, { host: 'x', token: 'y' })).to.include('the option `token` fails')
  })

  it('says that browsers block http in a page that came by https', () => {
    setGlobal('location', { protocol: 'https:', host: 'page' })
    expect(textOf(token('Failed to fetch'), { host: 'http://x' })).to.include('write https:// in `host`')
    expect(textOf(token('Failed to fetch'), { host: 'https://x' })).not.to.include('https:// in `host`')
  })

  it('says so where `host` has a path', () => {
    expect(textOf(refused(404), { host: 'http://x/app' })).to.match(/below that of `host`\.$/)
  })

  it('is the error’s own in the minified scripts', () => {
    expect(shortFailureText(refused(403), {})).to.equal(
      `TokenSocket: Forbidden, HTTP status 403 from ${URL_OF.token}`,
    )
  })
})

describe('docs/TROUBLESHOOTING.md', () => {
  it('speaks of texts that the client has', async () => {
    const folder = new URL('../../packages/client/src/', import.meta.url)
    const files = await readdir(folder, { recursive: true })
    const sources = files
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFile(new URL(name, folder), 'utf8'))
    const source = (await Promise.all(sources)).join('\n')
    const document = await readFile(new URL('../../docs/TROUBLESHOOTING.md', import.meta.url), 'utf8')
    const rows = document
      .split('### Warnings of development builds')[1]
      ?.split('\n## ')[0]
      ?.match(/^\| (?!mistake|---).*/gm)
    expect(rows).to.have.length(11)
    for (const row of rows ?? []) {
      const [, text = ''] = /^.*?\|.*?\|\s*`+(.*?)`+\s*\|/.exec(row) ?? []
      const fixed = text
        .replace('There is no option', 'There is no')
        .replace(/^.*"name"\)?/, '')
        .replace(/: data\.path is$/, '')
        .trim()
      expect(source, text).to.include(fixed)
    }
  })
})

describe('the console before the first `ready`', () => {
  let world: World
  let warn: sinon.SinonStub

  beforeEach(async () => {
    world = await World.create()
    warn = sinon.stub(console, 'warn')
  })

  afterEach(() => world.close())

  /** A socket without the logger and level that {@link World} gives. */
  function open(options: TokenSocketOptions = {}): TokenSocket {
    const socket = new TokenSocket({ host: world.server.host, ...options })
    world.sockets.push(socket)
    return socket
  }

  async function fail(socket: TokenSocket, times: number): Promise<void> {
    let count = 0
    socket.on('state', (state) => {
      if (state === 'waiting') count += 1
    })
    await until(() => count >= times)
  }

  it('gets one warning after the third try that failed, and no other', async () => {
    world.reconnectAtOnce()
    world.server.refusesUpgrades = true
    const socket = open()
    await fail(socket, 2)
    expect(warn.args).to.deep.equal([])
    await fail(socket, 4)
    expect(warn.args).to.have.length(1)
    const [text, error] = warn.args[0] ?? []
    expect(text).to.match(/^TokenSocket is not ready: the connection fails\. .*ws:.*\/sockets\/websocket/)
    expect(error).to.have.property('code', 'transport_failed')
  })

  it('gets it at once where the failure is final', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    await errorOf(open().ready())
    expect(warn.args).to.have.length(1)
    expect(warn.args[0]?.[0]).to.match(/http:.*\/socket\/token.*Sign in/)
  })

  it('gets nothing when the socket is ready before, nor after it', async () => {
    world.reconnectAtOnce()
    world.server.refusesUpgrades = true
    const socket = open()
    await fail(socket, 2)
    world.server.refusesUpgrades = false
    await socket.ready()
    world.server.refusesUpgrades = true
    world.server.cut()
    await fail(socket, 5)
    expect(warn.args).to.deep.equal([])
  })

  it('gets nothing with `logLevel: "none"`', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    await errorOf(open({ logLevel: 'none' }).ready())
    expect(warn.args).to.deep.equal([])
  })

  it('gets nothing when the socket was suspended or ended', async () => {
    for (const stop of ['suspend', 'end'] as const) await open()[stop]()
    expect(warn.args).to.deep.equal([])
  })

  it('is spared where the logger takes warnings', async () => {
    world.server.ontoken = (_, response) => response.writeHead(403).end()
    const logger = { warn: sinon.spy() }
    await errorOf(open({ logger }).ready())
    expect(warn.args).to.deep.equal([])
    expect(logger.warn.args).to.have.length(1)
  })

  it('names a host where nothing listens', async () => {
    world.reconnectAtOnce()
    const free = createServer().listen(0, '127.0.0.1')
    await until(() => free.listening)
    const host = `127.0.0.1:${(free.address() as AddressInfo).port}`
    free.close()
    await fail(open({ host }), 3)
    expect(warn.args[0]?.[0]).to.include(`http://${host}/socket/token`).and.include('Nothing listens')
  })
})

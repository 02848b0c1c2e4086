/** The seam between the gate and transports: what a transport of its own gets. */
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import type { Duplex } from 'node:stream'
import { expect } from 'chai'
import { intercept } from '#server/http/intercept.js'
import { OriginRules } from '#server/http/origins.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import { ConnectionLimiter } from '#server/transports/connection-limiter.js'
import { Gate } from '#server/transports/gate.js'
import { GateLog } from '#server/transports/gate-log.js'
import { RawUpgrades } from '#server/transports/raw-upgrades.js'
import type { ServerTransport } from '#server/transports/server-transport.js'
import { SockJSSessions } from '#server/transports/sockjs-sessions.js'
import { TRANSPORT_NAMES, TransportSet } from '#server/transports/transport-names.js'
import { WebSocketUpgrades } from '#server/transports/websocket-upgrades.js'
import { TestServer } from '../http-server.js'
import { RecordedLog } from '../recorded-log.js'

const trusts = () => false

/** A transport that answers with what it got. */
class EchoTransport implements ServerTransport {
  readonly names = ['raw'] as const
  size = 0
  readonly paths = {
    request: (path: string) => path.startsWith('/echo'),
    upgrade: (path: string) => path === '/tunnel',
  }

  request([, response]: Parameters<NonNullable<ServerTransport['request']>>[0], { path }: { path: string }) {
    response.end(`echo of ${path}`)
  }

  upgrade(_request: IncomingMessage, socket: Duplex, { path }: { path: string }) {
    socket.end(
      `HTTP/1.1 101 Switching Protocols\r\nX-Path: ${path}\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n`,
    )
  }

  close(): void {}
}

describe('a server transport', () => {
  let server: TestServer
  let transport: EchoTransport
  const log = new RecordedLog()

  beforeEach(async () => {
    server = await TestServer.start()
    transport = new EchoTransport()
    const gateLog = new GateLog(log, '/sockets')
    const limiter = new ConnectionLimiter({
      limits: { connections: 3, connectionsPerAddress: 10 },
      trusts,
      log: gateLog,
      size: () => transport.size,
    })
    intercept(
      server.http,
      new Gate({
        prefix: '/sockets',
        origins: new OriginRules({ origins: [], required: false, trusts }),
        transports: [transport],
        limiter,
        throttle: new TurnThrottle(),
        log: gateLog,
        failed: () => {},
      }),
    )
  })

  afterEach(() => server.stop())

  const get = (path: string, headers = {}) => fetch(`${server.origin}/sockets${path}`, { headers })

  /** Asks for an upgrade. @returns the status */
  const upgrade = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
      const sent = request(`${server.origin}/sockets${path}`, { headers })
      sent.on('upgrade', ({ statusCode = 0, headers }, socket) => {
        socket.destroy()
        resolve(headers['x-path'] === path ? statusCode : 0)
      })
      sent.on('response', ({ statusCode = 0 }) => resolve(statusCode))
      sent.on('error', reject)
      sent.end()
    })

  it('answers the requests whose paths it takes, without the prefix', async () => {
    expect(await (await get('/echo/1?x=1')).text()).to.equal('echo of /echo/1')
    expect((await get('/other')).status).to.equal(404)
  })

  it('answers the upgrades whose paths it takes', async () => {
    expect(await upgrade('/tunnel')).to.equal(101)
    expect(await upgrade('/echo')).to.equal(404)
    expect((await get('/tunnel')).status).to.equal(426)
  })

  it('gets nothing from other origins, or that is too long', async () => {
    expect((await get('/echo', { origin: 'https://elsewhere.example' })).status).to.equal(403)
    expect((await get(`/echo?${'x'.repeat(3000)}`)).status).to.equal(414)
  })

  it('counts its connections against the limit', async () => {
    transport.size = 3
    expect(await upgrade('/tunnel')).to.equal(503)
    transport.size = 2
    expect(await upgrade('/tunnel')).to.equal(101)
  })
})

describe('the transports', () => {
  it('have each name of the option once', () => {
    const websocket = { upgrade: () => {}, close: () => {}, size: 0 }
    const gateLog = new GateLog(undefined, '')
    const limiter = new ConnectionLimiter({
      limits: { connections: 1, connectionsPerAddress: 1 },
      trusts,
      log: gateLog,
      size: () => 0,
    })
    const sockjs = new SockJSSessions({
      prefix: '/sockets',
      transports: new TransportSet([]),
      limits: { message: 1, authMessage: 1, bodyBytes: 1, bodyBytesPerAddress: 1, bodyTimeout: 1 },
      pingInterval: 25_000,
      scheduler: {} as never,
      everyOrigin: false,
      trusts,
      limiter,
      log: gateLog,
      note: () => {},
      opened: () => {},
      failed: () => {},
    })
    const all: readonly ServerTransport[] = [
      new WebSocketUpgrades(websocket, true),
      new RawUpgrades(websocket, () => {}),
      sockjs,
    ]
    expect(all.flatMap(({ names }) => [...names]).sort()).to.deep.equal([...TRANSPORT_NAMES].sort())
  })

  it('are named by no line of the gate', () => {
    const file = new URL('../../../packages/server/src/transports/gate.ts', import.meta.url)
    const code = readFileSync(file, 'utf8').replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '')
    const named = /sockjs|polling|xhr|eventsource|raw-|['"]raw['"]|websocket-upgrades/i.exec(code)
    expect(named).to.equal(null)
  })
})

/** Every way in on a real HTTP server, and what comes in by them. */
import { once } from 'node:events'
import type { RequestListener, ServerOptions } from 'node:http'
import WebSocket, { type ClientOptions } from 'ws'
import { OriginRules, type OriginRulesOptions } from '#server/http/origins.js'
import { TurnThrottle } from '#server/runtime/turn-throttle.js'
import type { BufferedConnection } from '#server/socket/buffered-connection.js'
import type { GateOptions } from '#server/transports/gate.js'
import type { PerMessageDeflate } from '#server/transports/per-message-deflate.js'
import { DEFAULT_TRANSPORTS, type TransportName } from '#server/transports/transport-names.js'
import { Transports, type TransportsOptions } from '#server/transports/transports.js'
import { TestServer } from '../http-server.js'
import { Inbox } from '../inbox.js'
import { RecordedLog } from '../recorded-log.js'

/** Settings of a {@link Carrier}. */
export interface CarrierSettings extends Partial<OriginRulesOptions> {
  readonly prefix?: string
  /** `limits.message`. */
  readonly message?: number
  readonly pingInterval?: number
  readonly pingTimeout?: number
  /** `limits.connections`. */
  readonly connections?: number
  readonly limits?: Partial<TransportsOptions['limits']>
  /** Whether those that open have signed in. @default true */
  readonly signedIn?: boolean
  readonly transports?: readonly TransportName[]
  readonly perMessageDeflate?: PerMessageDeflate
  readonly sockjsUrl?: string
  readonly responseLimit?: number
  readonly files?: GateOptions['files']
  readonly app?: RequestListener
  /** Of the HTTP server. */
  readonly http?: ServerOptions
  /** Comes before the transports are mounted. */
  readonly before?: (server: TestServer) => void
}

const LIMITS: TransportsOptions['limits'] = {
  message: 1024 * 1024,
  authMessage: 8192,
  fragments: 2048,
  connections: 1000,
  connectionsPerAddress: 1000,
  bodyBytes: 64 * 1024 * 1024,
  bodyBytesPerAddress: 16 * 1024 * 1024,
  bodyTimeout: 30_000,
}

/** One connection as its owner sees it. */
export class Guest {
  readonly messages = new Inbox<unknown>()
  /** How it ended. */
  readonly ended: Promise<readonly [code: number, reason: string]>

  constructor(readonly connection: BufferedConnection) {
    this.ended = new Promise((resolve) => {
      connection.listen({
        message: (text) => this.messages.put(text),
        closed: (code, reason) => resolve([code, reason]),
      })
    })
  }
}

/** A WebSocket client that keeps its frames. */
export class Peer {
  readonly frames = new Inbox<string>()
  readonly pings = new Inbox<Buffer>()
  readonly closed: Promise<readonly [code: number, reason: string]>

  constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => this.frames.put(String(data)))
    socket.on('ping', (data) => this.pings.put(data))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve([code, String(reason)]))
    })
  }
}

export class Carrier {
  readonly server: TestServer
  readonly guests = new Inbox<Guest>()
  readonly log = new RecordedLog()
  /** What answering requests threw. */
  readonly failures: unknown[] = []
  readonly transports: Transports

  private constructor(server: TestServer, settings: CarrierSettings) {
    this.server = server
    settings.before?.(server)
    const trusts = settings.trusts ?? (() => false)
    this.transports = new Transports({
      transports: DEFAULT_TRANSPORTS,
      ...settings,
      server: server.http,
      prefix: settings.prefix ?? '/sockets',
      origins: new OriginRules({ origins: [], required: false, ...settings, trusts }),
      trusts,
      throttle: new TurnThrottle(),
      pingInterval: settings.pingInterval ?? 25_000,
      pingTimeout: settings.pingTimeout ?? 10_000,
      limits: {
        ...LIMITS,
        ...(settings.message !== undefined && { message: settings.message }),
        ...(settings.connections !== undefined && { connections: settings.connections }),
        ...settings.limits,
      },
      logger: this.log,
      log: this.log,
      failed: (cause) => this.failures.push(cause),
      opened: (connection) => {
        if (settings.signedIn ?? true) connection.authenticated?.()
        this.guests.put(new Guest(connection))
      },
    })
  }

  static async start(settings: CarrierSettings = {}): Promise<Carrier> {
    return new Carrier(await TestServer.start(settings.app, settings.http), settings)
  }

  get origin(): string {
    return this.server.origin
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.origin}${path}`, init)
  }

  /** Posts a text to a path of a polling session. */
  post(path: string, body = '', headers: Record<string, string> = {}): Promise<Response> {
    const all = { 'Content-Type': 'text/plain', ...headers }
    return this.fetch(`/sockets/000/${path}`, { method: 'POST', body, headers: all })
  }

  /** Opens a polling session. */
  async poll(session: string, headers: Record<string, string> = {}): Promise<Guest> {
    const response = await this.post(`${session}/xhr`, '', headers)
    if (response.status !== 200) throw new Error(`status ${response.status}`)
    await response.text()
    return this.guests.next()
  }

  /** A WebSocket to a path, open or not. */
  connect(path: string, options: ClientOptions = {}): Peer {
    return new Peer(new WebSocket(`${this.origin.replace('http', 'ws')}${path}`, options))
  }

  /** An open WebSocket, and the server’s end of it. */
  async open(path: string, options: ClientOptions = {}): Promise<{ peer: Peer; guest: Guest }> {
    const peer = this.connect(path, options)
    await once(peer.socket, 'open')
    return { peer, guest: await this.guests.next() }
  }

  /** The status that answers a WebSocket handshake. */
  async refusal(path: string, options: ClientOptions = {}): Promise<number | undefined> {
    const { socket } = this.connect(path, options)
    const [, response] = await once(socket, 'unexpected-response')
    socket.terminate()
    return response.statusCode
  }

  async stop(): Promise<void> {
    this.transports.close()
    await this.server.stop()
  }
}

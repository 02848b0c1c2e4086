import type { Server } from 'node:http'
import type { TrustProxy } from '../http/forwarded.js'
import { intercept } from '../http/intercept.js'
import type { OriginRules } from '../http/origins.js'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'
import type { Turns } from '../runtime/turns.js'
import type { BufferedConnection } from '../socket/buffered-connection.js'
import { InboxScheduler } from '../socket/inbox-scheduler.js'
import { Gate, type GateOptions } from './gate.js'
import type { PerMessageDeflate } from './per-message-deflate.js'
import { RawUpgrades } from './raw-upgrades.js'
import { SockJSTransport } from './sockjs.js'
import { type TransportName, TransportSet } from './transport-names.js'
import { type WebSocketLimits, WebSocketTransport, type WebSocketTransportOptions } from './websocket.js'
import { WebSocketUpgrades } from './websocket-upgrades.js'

/** Characters of an error of sockjs, which has a stack, in the log. */
const ERROR_LENGTH = 4096

/** Settings of {@link Transports}. */
export interface TransportsOptions {
  readonly server: Server
  readonly prefix: string
  /** See {@link GateOptions}. @default none */
  readonly healthRoute?: string | false
  readonly origins: OriginRules
  readonly trusts: TrustProxy
  readonly maxPayload: number
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly connections: number
  /** See {@link GateOptions}. */
  readonly limits: GateOptions['limits'] & WebSocketLimits
  readonly logger: Logger
  /** What is on; the paths of all else are answered 404. */
  readonly transports: readonly TransportName[]
  /** See {@link PerMessageDeflate}. @default false */
  readonly perMessageDeflate?: PerMessageDeflate
  /** The address of the iframe page's script. @default a CDN's, with the script's hash */
  readonly sockjsUrl?: string | undefined
  /** See {@link GateOptions}. */
  readonly throttle: GateOptions['throttle']
  /** See {@link WebSocketTransportOptions}; URLs of upgrades may be longer then. @default false */
  readonly keepsRequests?: boolean
  /** See {@link GateOptions}. @default none */
  readonly files?: GateOptions['files']
  /** Bytes after which a streaming response of SockJS ends. @default 131072 */
  readonly responseLimit?: number
  /** See {@link GateOptions}. @default 'address' */
  readonly bindSessions?: NonNullable<GateOptions['bindSessions']>
  /** Sets a `JSESSIONID` cookie on the answers of SockJS's HTTP transports. @default false */
  readonly cookie?: boolean
  /** The turns of the event loop. @default its own */
  readonly turns?: Turns
  /** A connection opened. */
  opened(connection: BufferedConnection): void
  /** See {@link GateOptions}. @default none */
  readonly log?: GateOptions['log']
  /** Answering a request or an upgrade threw. The request has been answered 500. */
  failed(cause: unknown): void
}

/**
 * The ways in: plain WebSocket, SockJS's WebSocket and SockJS's HTTP transports, and raw WebSocket, behind
 * one gate on one prefix.
 */
export class Transports {
  readonly #websocket: WebSocketTransport
  readonly #undo: () => void

  constructor(options: TransportsOptions) {
    const { origins } = options
    const transports = new TransportSet(options.transports)
    const scheduler = new InboxScheduler(options.turns)
    this.#websocket = new WebSocketTransport({ ...options, scheduler })
    const sockjs = new SockJSTransport({
      ...options,
      scheduler,
      websocket: transports.has('websocket'),
      everyOrigin: origins.allowsAll,
      sessionOpened: (path, connection) => gate.opened(path, connection),
      authenticated: (path) => gate.authenticated(path),
      closed: (path) => gate.closed(path),
      ended: (path) => gate.ended(path),
      log: (severity, line) => this.#note(options, severity, line),
    })
    const upgrades = [
      new WebSocketUpgrades(this.#websocket, transports.has('websocket')),
      ...(transports.has('raw') ? [new RawUpgrades(this.#websocket, options.opened)] : []),
    ]
    const gate: Gate = new Gate({ ...options, transports, upgrades, sockjs })
    this.#undo = intercept(options.server, gate)
  }

  /** A line of sockjs. Strangers cause each of them. */
  #note({ log, logger }: TransportsOptions, severity: string, text: string): void {
    // A query may hold credentials: no line has one.
    const line = text.replace(/\?\S*/g, '?…')
    if (severity !== 'error') return logger.debug({ severity }, shorten(line))
    log?.write('sockjs error', ['error', { severity, line: line.slice(0, ERROR_LENGTH) }, 'sockjs failed'])
  }

  /** Takes no further connections, and gives the prefix back to the application. Those that are open stay so. */
  close(): void {
    this.#undo()
    this.#websocket.close()
  }
}

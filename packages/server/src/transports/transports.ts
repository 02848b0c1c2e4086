import type { Server } from 'node:http'
import type { TrustProxy } from '../http/forwarded.js'
import { intercept } from '../http/intercept.js'
import type { OriginRules } from '../http/origins.js'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { Turns } from '../runtime/turns.js'
import type { BufferedConnection } from '../socket/buffered-connection.js'
import { InboxScheduler } from '../socket/inbox-scheduler.js'
import { ConnectionLimiter, type ConnectionLimits } from './connection-limiter.js'
import { Gate, type GateOptions } from './gate.js'
import { GateLog } from './gate-log.js'
import type { PerMessageDeflate } from './per-message-deflate.js'
import { RawUpgrades } from './raw-upgrades.js'
import type { ServerTransport } from './server-transport.js'
import type { SessionBindingName } from './session-binding.js'
import { SockJSSessions, type SockJSSessionsOptions } from './sockjs-sessions.js'
import { type TransportName, TransportSet } from './transport-names.js'
import { type WebSocketLimits, WebSocketTransport, type WebSocketTransportOptions } from './websocket.js'
import { WebSocketUpgrades } from './websocket-upgrades.js'

/** Characters of a sockjs error in the log, including its stack. */
const ERROR_LENGTH = 4096

/** Settings of {@link Transports}. */
export interface TransportsOptions {
  readonly server: Server
  readonly prefix: string
  /** See {@link GateOptions}. @default none */
  readonly healthRoute?: string | false
  readonly origins: OriginRules
  readonly trusts: TrustProxy
  readonly pingInterval: number
  readonly pingTimeout: number
  /** The server's limits of the same names. */
  readonly limits: ConnectionLimits & WebSocketLimits & SockJSSessionsOptions['limits']
  readonly logger: Logger
  /** The enabled transports. All other paths are answered 404. */
  readonly transports: readonly TransportName[]
  /** See {@link PerMessageDeflate}. @default false */
  readonly perMessageDeflate?: PerMessageDeflate
  /** The address of the iframe page's script. @default a CDN's, with the script's hash */
  readonly sockjsUrl?: string | undefined
  /** See {@link GateOptions}. */
  readonly throttle: GateOptions['throttle']
  /** See {@link WebSocketTransportOptions}. URLs of upgrades may be longer then. @default false */
  readonly keepsRequests?: boolean
  /** See {@link GateOptions}. @default none */
  readonly files?: GateOptions['files']
  /** Bytes after which a streaming response of SockJS ends. @default 131072 */
  readonly responseLimit?: number
  /** What polling sessions are bound to. @default 'address' */
  readonly bindSessions?: SessionBindingName
  /**
   * Whether a `JSESSIONID` cookie is set on the answers of SockJS's HTTP transports. @default false
   */
  readonly cookie?: boolean
  /** The turns of the event loop. @default an own instance */
  readonly turns?: Turns
  /** A connection opened. */
  opened(connection: BufferedConnection): void
  /** Receives log lines about limits and refused requests and upgrades. @default none */
  readonly log?: Pick<ThrottledLog, 'write'> | undefined
  /**
   * An error was thrown while a request or an upgrade was answered. The request has been answered
   * 500.
   */
  failed(cause: unknown): void
}

/** Dependencies of every transport. */
interface TransportParts {
  readonly scheduler: InboxScheduler
  readonly limiter: ConnectionLimiter
  readonly log: GateLog
}

/** The transports of a server, behind one gate on one prefix. */
export class Transports {
  readonly #transports: readonly ServerTransport[]
  readonly #undo: () => void

  constructor(options: TransportsOptions) {
    const log = new GateLog(options.log, options.prefix)
    const size = () => this.#transports.reduce((sum, transport) => sum + transport.size, 0)
    const limiter = new ConnectionLimiter({ ...options, log, size })
    const scheduler = new InboxScheduler(options.turns)
    this.#transports = makeTransports(options, { scheduler, limiter, log })
    const gate = new Gate({ ...options, transports: this.#transports, limiter, log })
    this.#undo = intercept(options.server, gate)
  }

  /**
   * Accepts no further connections, and returns the prefix to the application. Open connections
   * stay open.
   */
  close(): void {
    this.#undo()
    for (const transport of this.#transports) transport.close()
  }
}

/** Creates the enabled transports. Add a new transport here. */
function makeTransports(options: TransportsOptions, parts: TransportParts): readonly ServerTransport[] {
  const transports = new TransportSet(options.transports)
  const websocket = new WebSocketTransport({ ...options, ...parts })
  const { logger, log } = options
  return [
    new WebSocketUpgrades(websocket, transports.has('websocket')),
    ...(transports.has('raw') ? [new RawUpgrades(websocket, options.opened)] : []),
    new SockJSSessions({
      ...options,
      ...parts,
      transports,
      everyOrigin: options.origins.allowsAll,
      note: (severity, line) => noteSockJS({ logger, log }, severity, line),
    }),
  ]
}

/** Logs a line of sockjs. Strangers can cause each of them. */
function noteSockJS(
  { log, logger }: Pick<TransportsOptions, 'log' | 'logger'>,
  severity: string,
  text: string,
): void {
  // A query may hold credentials, so it is removed.
  const line = text.replace(/\?\S*/g, '?…')
  if (severity !== 'error') return logger.debug({ severity }, shorten(line))
  log?.write('sockjs error', ['error', { severity, line: line.slice(0, ERROR_LENGTH) }, 'sockjs failed'])
}

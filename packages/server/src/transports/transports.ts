import type { Server } from 'node:http'
import type { Connection } from '@token-socket/protocol'
import type { TrustProxy } from '../forwarded.js'
import type { Logger } from '../logger.js'
import type { OriginRules } from '../origins.js'
import { Gate } from './gate.js'
import { intercept } from './intercept.js'
import { SockJSTransport } from './sockjs.js'
import { WebSocketTransport } from './websocket.js'

/** Settings of {@link Transports}. */
export interface TransportsOptions {
  readonly server: Server
  readonly prefix: string
  readonly origins: OriginRules
  readonly trusts: TrustProxy
  readonly maxPayload: number
  readonly pingInterval: number
  readonly pingTimeout: number
  readonly connections: number
  readonly logger: Logger
  /** Whether WebSockets are let in, plain ones too. Else their paths are answered 404. @default true */
  readonly websocket?: boolean
  /** Sets a `JSESSIONID` cookie on the answers of SockJS's HTTP transports. @default false */
  readonly cookie?: boolean
  /** A connection opened. */
  opened(connection: Connection): void
}

/** Every way in: plain WebSocket, SockJS's WebSocket and SockJS's HTTP transports, behind one gate on one prefix. */
export class Transports {
  readonly #websocket: WebSocketTransport
  readonly #undo: () => void

  constructor(options: TransportsOptions) {
    const { logger } = options
    this.#websocket = new WebSocketTransport(options)
    const sockjs = new SockJSTransport({
      ...options,
      ended: (path) => gate.ended(path),
      log: (severity, line) =>
        (severity === 'error' ? logger.error : logger.debug).call(logger, { severity }, line),
    })
    const { websocket: isOpen = true, ...rest } = options
    const gate: Gate = new Gate({ ...rest, ...(isOpen && { websocket: this.#websocket }), sockjs })
    this.#undo = intercept(options.server, gate)
  }

  /** Takes no more connections, and gives the prefix back to the application. Those that are open stay so. */
  close(): void {
    this.#undo()
    this.#websocket.close()
  }
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { refuseUpgrade } from '../http/intercept.js'
import type { BufferedConnection } from '../socket/buffered-connection.js'
import { RawConnection } from './raw-connection.js'
import type { PassedUpgrade, ServerTransport } from './server-transport.js'
import type { WebSocketTransport } from './websocket.js'

/** RFC 6455, section 4.2.1. */
const KEY = /^[+/0-9A-Za-z]{22}==$/

/** Names of subprotocols: tokens of RFC 9110, section 5.6.2. */
const PROTOCOLS = /^[ \t]*[\w!#$%&'*+.^`|~-]+([ \t]*,[ \t]*[\w!#$%&'*+.^`|~-]+)*[ \t]*$/

/** The upgrades of raw WebSockets, which are answered after the authentication. */
export class RawUpgrades implements ServerTransport {
  readonly names = ['raw'] as const
  readonly paths = { upgrade: (path: string) => path === '/raw' }
  readonly #websocket: Pick<WebSocketTransport, 'upgrade'>
  readonly #opened: (connection: BufferedConnection) => void
  /** Upgrades that wait to be authenticated. */
  #waiting = 0

  /** @param opened receives a connection whose upgrade is not answered yet */
  constructor(
    websocket: Pick<WebSocketTransport, 'upgrade'>,
    opened: (connection: BufferedConnection) => void,
  ) {
    this.#websocket = websocket
    this.#opened = opened
  }

  /** How many wait to be authenticated. After that they count as WebSockets. */
  get size(): number {
    return this.#waiting
  }

  upgrade(request: IncomingMessage, socket: Duplex, { head }: PassedUpgrade): void {
    if (!isGood(request)) return refuseUpgrade(socket, '400 Bad Request')
    if (socket.destroyed) return
    this.#waiting += 1
    const connection = new RawConnection({
      request,
      socket,
      accept: (early, opened) =>
        this.#websocket.upgrade(request, socket, [Buffer.concat([head, early]), 'bare', opened]),
      settled: () => {
        this.#waiting -= 1
      },
    })
    this.#opened(connection)
    connection.begin()
  }

  /** Does nothing: raw WebSockets are closed with the other WebSockets. */
  close(): void {}
}

/**
 * Returns whether the handshake can succeed. The application is not asked about one that cannot.
 */
function isGood({ headers }: IncomingMessage): boolean {
  const { upgrade = '', 'sec-websocket-key': key = '', 'sec-websocket-protocol': protocols } = headers
  if (upgrade.toLowerCase() !== 'websocket' || !KEY.test(key)) return false
  return protocols === undefined || areGood(protocols)
}

function areGood(protocols: string): boolean {
  const names = protocols.split(',').map((name) => name.trim())
  return PROTOCOLS.test(protocols) && new Set(names).size === names.length
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { readSessionPath } from './session-path.js'
import type { Upgrade, UpgradeTransport } from './upgrade-transport.js'
import type { WebSocketTransport } from './websocket.js'

const PLAIN_PATH = '/websocket'

/** The upgrades to plain WebSocket, and to SockJS's. */
export class WebSocketUpgrades implements UpgradeTransport {
  readonly #websocket: Pick<WebSocketTransport, 'size' | 'upgrade'>
  readonly #isOn: boolean

  /** @param isOn whether it takes any */
  constructor(websocket: Pick<WebSocketTransport, 'size' | 'upgrade'>, isOn: boolean) {
    this.#websocket = websocket
    this.#isOn = isOn
  }

  /** All WebSockets that are open, those of other transports included. */
  get size(): number {
    return this.#websocket.size
  }

  takes(path: string): boolean {
    return this.#isOn && (path === PLAIN_PATH || readSessionPath(path)?.transport === 'websocket')
  }

  upgrade(request: IncomingMessage, socket: Duplex, { path, head }: Upgrade): void {
    this.#websocket.upgrade(request, socket, [head, path === PLAIN_PATH ? 'plain' : 'sockjs'])
  }
}

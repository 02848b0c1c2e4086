import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PassedUpgrade, ServerTransport } from './server-transport.js'
import { readSessionPath } from './session-path.js'
import type { WebSocketTransport } from './websocket.js'

const PLAIN_PATH = '/websocket'

/** The upgrades of plain WebSocket, and of SockJS's. */
export class WebSocketUpgrades implements ServerTransport {
  readonly names = ['websocket'] as const
  readonly paths = { upgrade: (path: string) => this.#takes(path) }
  readonly #websocket: Pick<WebSocketTransport, 'close' | 'size' | 'upgrade'>
  readonly #isOn: boolean

  /** @param isOn whether it accepts any */
  constructor(websocket: Pick<WebSocketTransport, 'close' | 'size' | 'upgrade'>, isOn: boolean) {
    this.#websocket = websocket
    this.#isOn = isOn
  }

  /** How many WebSockets are open, including those of other transports. */
  get size(): number {
    return this.#websocket.size
  }

  #takes(path: string): boolean {
    return this.#isOn && (path === PLAIN_PATH || readSessionPath(path)?.transport === 'websocket')
  }

  upgrade(request: IncomingMessage, socket: Duplex, { path, head }: PassedUpgrade): void {
    this.#websocket.upgrade(request, socket, [head, path === PLAIN_PATH ? 'plain' : 'sockjs'])
  }

  /** Stops pinging all WebSockets. */
  close(): void {
    this.#websocket.close()
  }
}

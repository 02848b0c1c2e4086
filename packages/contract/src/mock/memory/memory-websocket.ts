import type { WebSocketLike } from '@token-socket/client'
import type { Connection, ConnectionListener } from '@token-socket/protocol'
import { Turns } from './turns.js'

/** Code of a close that says none. */
const NO_CODE = 1005

/**
 * The WebSocket of a client, and what its server holds of it, in one process and without a network.
 */
class MemoryLink implements WebSocketLike, Connection {
  readonly transport = 'memory'
  onopen: WebSocketLike['onopen'] = null
  onmessage: WebSocketLike['onmessage'] = null
  onclose: WebSocketLike['onclose'] = null
  onerror: WebSocketLike['onerror'] = null
  readonly server: Connection
  readonly #turns = new Turns()
  #listener: ConnectionListener | undefined
  #isClosed = false

  constructor() {
    this.server = {
      transport: this.transport,
      listen: (listener) => this.listen(listener),
      send: (messages) => this.#toClient(messages.join('\n')),
      close: (code, reason) => this.close(code, reason),
    }
    this.#turns.add(() => this.onopen?.(undefined as never))
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
  }

  /** What the client sends: one message a line. */
  send(text: string | readonly string[]): void {
    if (this.#isClosed) return
    for (const message of [text].flat().join('\n').split('\n')) {
      this.#turns.add(() => this.#listener?.message(message))
    }
  }

  /** Ends it, whichever end asks. What was sent before arrives first. */
  close(code = NO_CODE, reason = ''): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#turns.add(() => {
      this.#listener?.closed(code, reason)
      this.onclose?.({ code, reason } as never)
    })
  }

  #toClient(data: string): void {
    if (!this.#isClosed) this.#turns.add(() => this.onmessage?.({ data } as never))
  }
}

/**
 * A WebSocket in memory.
 * @param accept gets the server's end, at once
 */
export function openMemoryWebSocket(accept: (connection: Connection) => void): WebSocketLike {
  const link = new MemoryLink()
  accept(link.server)
  return link
}

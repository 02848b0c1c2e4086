import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection, ConnectionListener } from '@token-socket/protocol'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { BatchFrames } from './frame.js'

/** Settings of {@link WebSocketTransport}. */
export interface WebSocketTransportOptions {
  /** Bytes that one incoming frame may have. A larger one closes the connection with 1009. */
  readonly maxPayload: number
  /** Milliseconds between pings; a peer that has not answered one by the next is cut off. */
  readonly pingInterval: number
  /** A connection opened. */
  opened(connection: Connection): void
}

/** How messages are put into frames. */
interface Framing {
  /** What the server says first, if anything. */
  readonly greeting?: string
  encode(messages: readonly string[]): string
  /** @throws if the frame is not of this framing */
  decode(frame: string): readonly unknown[]
  /** What the server says last, if anything. */
  farewell?(code: number, reason: string): string
}

/** A text frame holds one message or several, one per line. */
const PLAIN: Framing = {
  encode: (messages) => messages.join('\n'),
  decode: (frame) => (frame.includes('\n') ? frame.split('\n') : [frame]).filter((line) => line !== ''),
}

/** SockJS 0.3: `o` opens, `a[…]` carries messages as JSON strings, `c[code,reason]` closes. */
const SOCKJS: Framing = {
  greeting: 'o',
  encode: (messages) => `a${JSON.stringify(messages)}`,
  decode: (frame) => {
    if (frame === '') return []
    const messages: unknown = JSON.parse(frame)
    return Array.isArray(messages) ? messages : [messages]
  },
  farewell: (code, reason) => `c${JSON.stringify([code, reason])}`,
}

/** A peer that takes longer to answer a close, in milliseconds, does not keep the process alive: it is cut off. */
const CLOSE_TIMEOUT = 2000

/** WebSocket connections, plain or framed as SockJS does. One timer pings them all. */
export class WebSocketTransport {
  readonly #server: WebSocketServer
  readonly #options: WebSocketTransportOptions
  readonly #links = new Set<WebSocketConnection>()
  readonly #carriers = { plain: carrierOf(PLAIN), sockjs: carrierOf(SOCKJS) }
  readonly #timer: NodeJS.Timeout

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    const settings = {
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxPayload,
      perMessageDeflate: false,
      closeTimeout: CLOSE_TIMEOUT,
    }
    this.#server = new WebSocketServer(settings)
    this.#timer = setInterval(() => this.#sweep(), options.pingInterval)
    this.#timer.unref()
  }

  /** Answers an upgrade request. @param framing `sockjs` for `/<server>/<session>/websocket` */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    [head, framing]: readonly [Buffer, 'plain' | 'sockjs'],
  ): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const link = new WebSocketConnection(ws, { socket, ...this.#carriers[framing] })
      this.#links.add(link)
      ws.on('close', () => this.#links.delete(link))
      this.#options.opened(link)
    })
  }

  /** Stops pinging. Connections are closed by those who own them. */
  close(): void {
    clearInterval(this.#timer)
    this.#server.close()
  }

  #sweep(): void {
    for (const { frames } of Object.values(this.#carriers)) frames.forget()
    for (const link of this.#links) link.check()
  }
}

/** A way to frame, and the frames that its connections share. */
interface Carrier {
  readonly framing: Framing
  readonly frames: BatchFrames
}

function carrierOf(framing: Framing): Carrier {
  return { framing, frames: new BatchFrames(framing.encode) }
}

class WebSocketConnection implements Connection {
  readonly transport = 'websocket'
  readonly #ws: WebSocket
  readonly #socket: Duplex
  readonly #framing: Framing
  readonly #frames: BatchFrames
  #listener: ConnectionListener | undefined
  #isClosed = false
  #isAlive = true

  constructor(ws: WebSocket, { socket, framing, frames }: Carrier & { readonly socket: Duplex }) {
    this.#ws = ws
    this.#socket = socket
    this.#framing = framing
    this.#frames = frames
    if (framing.greeting) ws.send(framing.greeting)
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    ws.on('pong', () => {
      this.#isAlive = true
    })
    ws.on('close', (code, reason) => this.#closed(code, reason.toString()))
    // Broken frames end in `close` with their code; there is nothing else to do about them.
    ws.on('error', () => {})
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
  }

  send(messages: readonly string[]): void {
    // Straight to the network: `ws` would frame the same batch again for each receiver. What it sends itself, pings and
    // closes, it writes at once too, so the order stays.
    if (this.#ws.readyState === WebSocket.OPEN) this.#socket.write(this.#frames.encode(messages))
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    const farewell = this.#framing.farewell?.(code, reason)
    if (farewell !== undefined) this.#ws.send(farewell)
    this.#ws.close(code, reason)
    this.#closed(code, reason)
  }

  /** Pings; cuts off a peer that has not answered the last ping. */
  check(): void {
    if (!this.#isAlive) return this.#ws.terminate()
    this.#isAlive = false
    this.#ws.ping()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    this.#isAlive = true
    if (isBinary) return this.close(1003, 'Only text frames are understood')
    for (const message of this.#decode(data.toString())) {
      if (!this.#isClosed) this.#listener?.message(message)
    }
  }

  #decode(frame: string): readonly unknown[] {
    try {
      return this.#framing.decode(frame)
    } catch {
      this.close(3000, 'Broken framing.')
      return []
    }
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#listener?.closed(code, reason)
  }
}

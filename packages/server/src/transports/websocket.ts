import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Connection, ConnectionListener } from '@token-socket/protocol'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import { BatchFrames, encodeTextFrame } from './frame.js'
import { Liveness, type LivenessOptions, type Peer } from './liveness.js'

/** Settings of {@link WebSocketTransport}. */
export interface WebSocketTransportOptions extends LivenessOptions {
  /** Bytes that one incoming message may have. A larger one closes the connection with 1009. */
  readonly maxPayload: number
  /** A connection opened. */
  opened(connection: Connection): void
}

/** Bytes that a frame of several messages may always have: clients join small ones. */
const BATCH = 32 * 1024

/** How messages are put into frames. */
interface Framing {
  /** What the server says first, if anything. */
  readonly greeting?: string
  encode(messages: readonly string[]): string
  /** @throws if the frame is not of this framing */
  decode(frame: string): readonly unknown[]
  /** A frame without a message, a sign of life: scripts in browsers do not see pings. */
  readonly heartbeat: string
  /** What the server says last, if anything. */
  farewell?(code: number, reason: string): string
}

/** A text frame holds one message or several, one per line. */
const PLAIN: Framing = {
  encode: (messages) => messages.join('\n'),
  heartbeat: '',
  decode: (frame) => (frame.includes('\n') ? frame.split('\n') : [frame]).filter((line) => line !== ''),
}

/** SockJS 0.3: `o` opens, `a[…]` carries messages as JSON strings, `c[code,reason]` closes. */
const SOCKJS: Framing = {
  greeting: 'o',
  heartbeat: 'h',
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

/** WebSocket connections, plain or framed as SockJS does. */
export class WebSocketTransport {
  readonly #server: WebSocketServer
  readonly #options: WebSocketTransportOptions
  readonly #liveness: Liveness
  readonly #carriers = { plain: carrierOf(PLAIN), sockjs: carrierOf(SOCKJS) }
  readonly #timer: NodeJS.Timeout

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    const settings = {
      noServer: true,
      clientTracking: false,
      maxPayload: Math.max(options.maxPayload, BATCH),
      perMessageDeflate: false,
      closeTimeout: CLOSE_TIMEOUT,
    }
    this.#server = new WebSocketServer(settings)
    this.#liveness = new Liveness(options)
    this.#timer = setInterval(() => this.#forget(), options.pingInterval)
    this.#timer.unref()
  }

  /** Answers an upgrade request. @param framing `sockjs` for `/<server>/<session>/websocket` */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    [head, framing]: readonly [Buffer, 'plain' | 'sockjs'],
  ): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const link = new WebSocketConnection(ws, {
        socket,
        maxPayload: this.#options.maxPayload,
        ...this.#carriers[framing],
      })
      this.#liveness.add(link)
      ws.on('close', () => this.#liveness.delete(link))
      this.#options.opened(link)
    })
  }

  /** How many connections are open. */
  get size(): number {
    return this.#liveness.size
  }

  /** Stops pinging. Connections are closed by those who own them. */
  close(): void {
    clearInterval(this.#timer)
    this.#liveness.stop()
    this.#server.close()
  }

  #forget(): void {
    for (const { frames } of Object.values(this.#carriers)) frames.forget()
  }
}

/** A way to frame, and the frames that its connections share. */
interface Carrier {
  readonly framing: Framing
  readonly frames: BatchFrames
  readonly heartbeat: Buffer
}

/** What a connection is made of besides its WebSocket. */
interface Upgraded extends Carrier {
  readonly socket: Duplex
  readonly maxPayload: number
}

function carrierOf(framing: Framing): Carrier {
  return { framing, frames: new BatchFrames(framing.encode), heartbeat: encodeTextFrame(framing.heartbeat) }
}

class WebSocketConnection implements Connection, Peer {
  readonly transport = 'websocket'
  readonly #ws: WebSocket
  readonly #socket: Duplex
  readonly #carrier: Carrier
  readonly #maxPayload: number
  #listener: ConnectionListener | undefined
  #isClosed = false

  constructor(ws: WebSocket, { socket, maxPayload, ...carrier }: Upgraded) {
    this.#ws = ws
    this.#socket = socket
    this.#maxPayload = maxPayload
    this.#carrier = carrier
    if (carrier.framing.greeting) ws.send(carrier.framing.greeting)
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
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
    if (this.#ws.readyState === WebSocket.OPEN) this.#socket.write(this.#carrier.frames.encode(messages))
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    const farewell = this.#carrier.framing.farewell?.(code, reason)
    if (farewell !== undefined) this.#ws.send(farewell)
    this.#ws.close(code, reason)
    this.#closed(code, reason)
  }

  get bytesRead(): number {
    // What an HTTP server upgrades is a network socket, plain or TLS; `ws` gives it the type of what it could be.
    return (this.#socket as Socket).bytesRead
  }

  ping(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    this.#ws.ping()
    this.#socket.write(this.#carrier.heartbeat)
  }

  cut(): void {
    this.#ws.terminate()
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    if (isBinary) return this.close(1003, 'Only text frames are understood')
    for (const message of this.#decode(data.toString())) {
      if (typeof message === 'string' && message.length > this.#maxPayload)
        this.close(1009, 'Message too big')
      if (!this.#isClosed) this.#listener?.message(message)
    }
  }

  #decode(frame: string): readonly unknown[] {
    try {
      return this.#carrier.framing.decode(frame)
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

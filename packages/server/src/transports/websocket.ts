import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionListener } from '@token-socket/protocol'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { BufferedConnection } from '../buffered-connection.js'
import { BatchFrames, encodeTextFrame, payloadOf } from './frame.js'
import { Liveness, type LivenessOptions, type Peer } from './liveness.js'
import { batchLimit, isTooLarge, type Writing } from './message-limit.js'
import type { PerMessageDeflate } from './per-message-deflate.js'

/** Settings of {@link WebSocketTransport}. */
export interface WebSocketTransportOptions extends LivenessOptions {
  /** Bytes that one incoming message may have. A larger one closes the connection with 1009. */
  readonly maxPayload: number
  /** See {@link PerMessageDeflate}. @default false */
  readonly perMessageDeflate?: PerMessageDeflate
  /** A connection opened. */
  opened(connection: BufferedConnection): void
}

/** How messages are put into frames. */
interface Framing {
  /** What the server says first, if anything. */
  readonly greeting?: string
  /** How clients write messages into a frame. */
  readonly writing: Writing
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
  writing: 'plain',
  encode: (messages) => messages.join('\n'),
  heartbeat: '',
  decode: (frame) => (frame.includes('\n') ? frame.split('\n') : [frame]).filter((line) => line !== ''),
}

/** SockJS 0.3: `o` opens, `a[…]` carries messages as JSON strings, `c[code,reason]` closes. */
const SOCKJS: Framing = {
  writing: 'quoted',
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

/**
 * Bytes that a fragment of a message has at least, on average, once there are many: `ws` keeps with each, however small,
 * all that came in one packet with it, such as 64 KiB of pongs.
 */
const FRAGMENT = 4096

/** The same for the packets that bring a frame: each is kept, until the frame is whole, as an object of its own. */
const PACKET = 64

/** WebSocket connections, plain or framed as SockJS does. */
export class WebSocketTransport {
  readonly #options: WebSocketTransportOptions
  readonly #liveness: Liveness
  readonly #carriers: Readonly<Record<'plain' | 'sockjs', Carrier>>
  readonly #timer: NodeJS.Timeout

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    this.#carriers = { plain: carrierOf(PLAIN, options), sockjs: carrierOf(SOCKJS, options) }
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
    const carrier = this.#carriers[framing]
    carrier.server.handleUpgrade(request, socket, head, (ws) => {
      const link = new WebSocketConnection(ws, {
        socket,
        maxPayload: this.#options.maxPayload,
        ...carrier,
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
    for (const { server } of Object.values(this.#carriers)) server.close()
  }

  #forget(): void {
    for (const { frames } of Object.values(this.#carriers)) frames.forget()
  }
}

/** A way to frame, what takes its handshakes, and the frames that its connections share. */
interface Carrier {
  readonly framing: Framing
  readonly server: WebSocketServer
  readonly frames: BatchFrames
  readonly heartbeat: Buffer
}

/** What a connection is made of besides its WebSocket. */
interface Upgraded extends Carrier {
  readonly socket: Duplex
  readonly maxPayload: number
}

function carrierOf(framing: Framing, options: WebSocketTransportOptions): Carrier {
  const settings = {
    noServer: true,
    clientTracking: false,
    maxPayload: batchLimit(options.maxPayload, framing.writing),
    maxFragments: Math.max(256, Math.ceil(options.maxPayload / FRAGMENT)),
    maxBufferedChunks: Math.max(16_384, Math.ceil(options.maxPayload / PACKET)),
    perMessageDeflate: options.perMessageDeflate ?? false,
    closeTimeout: CLOSE_TIMEOUT,
  }
  return {
    framing,
    server: new WebSocketServer(settings),
    frames: new BatchFrames(framing.encode),
    heartbeat: encodeTextFrame(framing.heartbeat),
  }
}

class WebSocketConnection implements BufferedConnection, Peer {
  readonly transport = 'websocket'
  ondrained: (() => void) | undefined
  readonly #ws: WebSocket
  readonly #socket: Duplex
  readonly #carrier: Carrier
  readonly #maxPayload: number
  readonly #isCompressed: boolean
  #listener: ConnectionListener | undefined
  #isPaused = false
  #isClosed = false

  constructor(ws: WebSocket, { socket, maxPayload, ...carrier }: Upgraded) {
    this.#ws = ws
    this.#socket = socket
    this.#maxPayload = maxPayload
    this.#carrier = carrier
    this.#isCompressed = ws.extensions !== ''
    if (carrier.framing.greeting) ws.send(carrier.framing.greeting)
    ws.on('message', (data, isBinary) => this.#receive(data, isBinary))
    ws.on('close', (code, reason) => this.#closed(code, reason.toString()))
    // Broken frames end in `close` with their code; there is nothing else to do about them.
    ws.on('error', () => {})
    socket.on('drain', this.#drained)
  }

  get bufferedBytes(): number {
    // What waits to be compressed, too.
    return this.#ws.bufferedAmount
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
  }

  send(messages: readonly string[]): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#write(this.#carrier.frames.encode(messages))
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    if (isPaused) this.#ws.pause()
    else this.#ws.resume()
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    // The peer's answer has to be read.
    if (this.#isPaused) this.setPaused(false)
    const farewell = this.#carrier.framing.farewell?.(code, reason)
    if (farewell !== undefined) this.#ws.send(farewell)
    this.#ws.close(code, reason)
    this.#closed(code, reason)
  }

  get bytesRead(): number {
    // What an HTTP server upgrades is a network socket, plain or TLS; `ws` gives it the type of what it could be.
    const { bytesRead, bytesWritten, writableLength } = this.#socket as Socket
    // Of a peer that is not read, what it takes is a sign that it lives.
    return this.#isPaused ? bytesRead + bytesWritten - writableLength : bytesRead
  }

  get bytesWritten(): number {
    return (this.#socket as Socket).bytesWritten
  }

  ping(): void {
    if (this.#ws.readyState !== WebSocket.OPEN) return
    this.#ws.ping()
    this.#write(this.#carrier.heartbeat)
  }

  cut(): void {
    this.#ws.terminate()
  }

  #write(frame: Buffer): void {
    // Straight to the network: `ws` would frame the same batch again for each receiver. What it sends itself, pings and
    // closes, it writes at once too, so the order stays.
    if (!this.#isCompressed) return void this.#socket.write(frame)
    // It compresses aside and keeps the order of what it is given: what went past it would overtake.
    const payload = payloadOf(frame)
    this.#ws.send(payload, { binary: false, compress: payload.length > 0 }, this.#drained)
  }

  readonly #drained = () => this.ondrained?.()

  #receive(data: RawData, isBinary: boolean): void {
    if (this.#isClosed) return
    if (isBinary) return this.close(1003, 'Only text frames are understood')
    for (const message of this.#decode(data.toString())) {
      if (isTooLarge(message, this.#maxPayload)) this.close(1009, 'Message too big')
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

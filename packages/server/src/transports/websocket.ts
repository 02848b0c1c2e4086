import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CLOSE_CODES } from '@token-socket/protocol'
import { eventLoop } from '../runtime/event-loop.js'
import type { Batch } from '../socket/batch.js'
import type { BufferedConnection, BufferedListener } from '../socket/buffered-connection.js'
import { Inbox, type InboxOwner } from '../socket/inbox.js'
import type { InboxScheduler } from '../socket/inbox-scheduler.js'
import { Rate } from '../socket/rate.js'
import { payloadOf } from './frame.js'
import { FrameMarks } from './frame-marks.js'
import { HeartbeatMonitor, type HeartbeatOptions, type Peer } from './heartbeat-monitor.js'
import { authLimit, BATCH_MESSAGES, isTooLarge } from './message-limit.js'
import type { PerMessageDeflate } from './per-message-deflate.js'
import { SLICE, slicesOf, writeApart, writeSliced } from './slices.js'
import {
  type Carrier,
  type CarrierOptions,
  type FramingName,
  makeCarriers,
  PatientWebSocket,
  type WebSocketOwner,
} from './websocket-carriers.js'

/** Limits of {@link WebSocketTransport}. */
export type WebSocketLimits = CarrierOptions['limits'] & {
  /** Bytes that one incoming message may have. A larger one closes the connection with 1009. */
  readonly message: number
  /** UTF-16 code units that the first message may have. */
  readonly authMessage: number
}

/** Settings of {@link WebSocketTransport}. */
export interface WebSocketTransportOptions extends HeartbeatOptions {
  /** See {@link PerMessageDeflate}. @default false */
  readonly perMessageDeflate?: PerMessageDeflate
  readonly limits: WebSocketLimits
  /** Whether connections keep their upgrade requests until the sign-in. @default false */
  readonly keepsRequests?: boolean
  /** Divides the turns among the connections. */
  readonly scheduler: InboxScheduler
  /** A connection opened. */
  opened(connection: BufferedConnection): void
}

/** Bytes of frame headers and control frames that may come with the first message. */
const HEADS = 1024

/**
 * Control frames of a peer in a second. `ws` keeps with each fragment, however small, the packet
 * that it came in, which can contain only control frames in addition. So a fragment keeps at most
 * 13 kB of them, and 2,048 fragments 27 MB. Browsers send a pong for each ping of ours; programs
 * may send a ping every few seconds.
 */
const CONTROLS = 100

/**
 * Bytes that may wait in an inbox, in addition to a frame. Only compressed frames, which `ws` reads
 * in advance, can exceed this.
 */
const AHEAD = 1024 * 1024

/** WebSocket connections with one of these framings. */
export class WebSocketTransport {
  readonly #options: WebSocketTransportOptions
  readonly #liveness: HeartbeatMonitor
  readonly #carriers: Readonly<Record<FramingName, Carrier>>
  readonly #settings: Readonly<Record<FramingName, ConnectionSettings>>
  readonly #timer: NodeJS.Timeout

  constructor(options: WebSocketTransportOptions) {
    this.#options = options
    this.#carriers = makeCarriers(options)
    this.#liveness = new HeartbeatMonitor(options)
    const { plain, sockjs, bare } = this.#carriers
    const settings = (carrier: Carrier) => ({ ...this.#shared(), carrier })
    this.#settings = { plain: settings(plain), sockjs: settings(sockjs), bare: settings(bare) }
    this.#timer = setInterval(() => this.#forget(), options.pingInterval)
    this.#timer.unref()
  }

  /**
   * Answers an upgrade request.
   * @param how the data after the request, the framing, and the receiver of the connection, if it
   *   is not `opened` of the options
   */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    [head, framing, opened]: readonly [Buffer, FramingName, ((connection: BufferedConnection) => void)?],
  ): void {
    const settings = this.#settings[framing]
    // An argument of its own: a closure shares its variables with those below, which would be kept
    // as long as the connection.
    settings.carrier.server.handleUpgrade(request, socket, head, (ws, upgrade) => {
      const link = new WebSocketConnection(ws, socket, settings)
      if (this.#options.keepsRequests) link.request = upgrade
      this.#liveness.add(link)
      if (opened) opened(link)
      else this.#options.opened(link)
    })
  }

  /** How many connections are open. */
  get size(): number {
    return this.#liveness.size
  }

  /** Stops pinging. The owners of connections close them. */
  close(): void {
    clearInterval(this.#timer)
    this.#liveness.stop()
    for (const { server } of Object.values(this.#carriers)) server.close()
  }

  #shared(): Omit<ConnectionSettings, 'carrier'> {
    const { scheduler, limits } = this.#options
    const maxInput = authLimit(limits.authMessage) + HEADS
    return { limits, maxInput, scheduler, ended: (link) => this.#liveness.delete(link) }
  }

  #forget(): void {
    for (const { frames } of Object.values(this.#carriers)) frames.forget()
  }
}

/** What all connections of one framing share. */
interface ConnectionSettings {
  readonly carrier: Carrier
  readonly limits: WebSocketLimits
  /** Bytes that may arrive before the sign-in. */
  readonly maxInput: number
  readonly scheduler: InboxScheduler
  /** A connection has ended. */
  ended(link: WebSocketConnection): void
}

class WebSocketConnection implements BufferedConnection, Peer, InboxOwner, WebSocketOwner {
  ondrained: (() => void) | undefined
  request: IncomingMessage | undefined
  readonly #ws: PatientWebSocket
  readonly #socket: Duplex
  readonly #settings: ConnectionSettings
  readonly #isCompressed: boolean
  readonly #inbox: Inbox
  #listener: BufferedListener | undefined
  #isClosed = false
  #taken = 0
  /** Bytes of frames that arrived while messages waited. */
  #behind = 0
  #controls: Rate | undefined
  /** Counts the bytes that arrive before the sign-in. */
  #count: ((chunk: Buffer) => void) | undefined
  #isAwaitingDrain = false
  /** Marks of compressed frames. Created with the first one. */
  #marks: FrameMarks | undefined
  /** The code with which `ws` has closed because of the peer's data, such as broken frames. */
  #refusal: number | undefined

  constructor(ws: PatientWebSocket, socket: Duplex, settings: ConnectionSettings) {
    const { scheduler, maxInput, carrier } = settings
    this.#ws = ws
    this.#socket = socket
    this.#settings = settings
    this.#isCompressed = ws.extensions !== ''
    this.#inbox = new Inbox(this, scheduler)
    ws.owner = this
    this.#countInput(maxInput)
    if (carrier.framing.greeting) ws.send(carrier.framing.greeting)
  }

  get transport(): string {
    return 'websocket'
  }

  get bufferedBytes(): number {
    // Includes the data that waits for compression.
    return this.#ws.bufferedAmount
  }

  listen(listener: BufferedListener): void {
    this.#listener = listener
  }

  authenticated(): void {
    if (this.#count) this.#socket.off('data', this.#count)
    this.#count = undefined
    this.request = undefined
  }

  /** Limits the bytes before the sign-in, framing included. */
  #countInput(bytes: number): void {
    let left = bytes
    this.#count = (chunk: Buffer) => {
      left -= chunk.length
      if (left >= 0 || this.#isClosed) return
      const { code, reason } = CLOSE_CODES.too_large
      this.close(code, reason)
      this.#discard()
    }
    // Runs before `ws` gets the bytes.
    this.#socket.prependListener('data', this.#count)
  }

  send(messages: readonly string[]): void {
    if (this.#ws.readyState === PatientWebSocket.OPEN)
      this.#write(this.#settings.carrier.frames.encode(messages))
  }

  written(done: () => void): void {
    if (this.#marks) this.#marks.add(done)
    else if (this.#socket.writableLength === 0) done()
    // The callback of an empty write runs after all waiting writes.
    else this.#socket.write('', (error) => error ?? done())
  }

  setPaused(isPaused: boolean): void {
    this.#inbox.setPaused(isPaused)
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    const farewell = this.#settings.carrier.framing.farewell?.(code, reason)
    if (farewell !== undefined) this.#ws.send(farewell)
    this.#shut(code, reason)
  }

  get bytesRead(): number {
    // An HTTP server upgrades network sockets only, plain or TLS; `ws` gives them a wider type.
    const { bytesRead, bytesWritten, writableLength } = this.#socket as Socket
    // While messages wait, nothing is read. Each handled message counts as a byte. For a peer that
    // is not read from, what it reads shows that it lives.
    const heard = bytesRead + this.#taken
    return this.#inbox.isPaused ? heard + bytesWritten - writableLength : heard
  }

  get bytesWritten(): number {
    return (this.#socket as Socket).bytesWritten
  }

  ping(): void {
    if (this.#ws.readyState !== PatientWebSocket.OPEN) return
    this.#ws.ping()
    const { heartbeat } = this.#settings.carrier
    if (heartbeat) this.#write(heartbeat)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  take(message: unknown): void {
    this.#taken += 1
    if (isTooLarge(message, this.#settings.limits.message)) this.close(1009, 'Message too big')
    else this.#listener?.message(message)
  }

  pause(): void {
    this.#ws.pause()
  }

  resume(): void {
    this.#behind = 0
    this.#ws.resume()
  }

  /**
   * The peer closes. Messages that it sent before are handled, and their ready answers are sent,
   * before the close is answered.
   */
  closing(answer: () => void): void {
    // The outboxes send in the first turn, also what promises add to them.
    this.#inbox.end(() => eventLoop.setImmediate(() => eventLoop.setImmediate(answer)))
  }

  #write(frame: Buffer): void {
    // Written to the network directly: `ws` would frame the same batch again for each receiver.
    // `ws` also writes its own pings and closes at once, so that the order is kept.
    if (!this.#isCompressed) return this.#notice(writeSliced(this.#socket, frame))
    // `ws` compresses asynchronously and keeps the order of its frames: a direct write would
    // overtake them.
    const payload = payloadOf(frame)
    if (payload.length > SLICE) return this.#fragment(payload)
    this.#compress(payload, { compress: payload.length > 0 })
  }

  /** Sends a large message in fragments, so that the client's progress is visible. */
  #fragment(payload: Buffer): void {
    writeApart(this.#socket)
    for (const [index, slice] of slicesOf(payload).entries())
      this.#compress(slice, { fin: (index + 1) * SLICE >= payload.length })
  }

  #compress(bytes: Buffer, options: { readonly compress?: boolean; readonly fin?: boolean }): void {
    this.#marks ??= new FrameMarks()
    const marks = this.#marks
    marks.begin()
    this.#ws.send(bytes, { binary: false, ...options }, (error) => {
      marks.end(error)
      this.ondrained?.()
    })
    this.#notice(!this.#socket.writableNeedDrain)
  }

  /** Makes sure that the drain is noticed. @param hasRoom the return value of the write */
  #notice(hasRoom: boolean): void {
    if (hasRoom || this.#isAwaitingDrain) return
    this.#isAwaitingDrain = true
    this.#socket.once('drain', () => {
      this.#isAwaitingDrain = false
      this.ondrained?.()
    })
  }

  received(data: Buffer, isBinary: boolean): void {
    if (this.#isClosed) return
    if (isBinary) return this.close(1003, 'Only text frames are understood')
    if (this.#inbox.isWaiting) {
      this.#behind += data.length
      if (this.#behind > this.#settings.limits.message + AHEAD)
        return this.close(1008, 'Too many messages wait')
    }
    const decoded = this.#decode(data.toString())
    if (typeof decoded === 'string') return this.#inbox.receive(decoded)
    if (decoded === undefined) return
    if (decoded.size > BATCH_MESSAGES) return this.close(1009, 'Too many messages in a frame')
    this.#inbox.receiveAll(decoded)
  }

  #decode(frame: string): string | Batch | undefined {
    try {
      return this.#settings.carrier.framing.decode(frame)
    } catch {
      // SockJS's reference sends this to a client whose framing is broken.
      this.#shut(3000, 'Broken framing.')
      return undefined
    }
  }

  control(): void {
    this.#controls ??= new Rate()
    if (this.#controls.count() > CONTROLS) this.close(1008, 'Too many control frames')
  }

  #shut(code: number, reason: string): void {
    const isBehind = this.#inbox.isWaiting
    this.#inbox.close()
    this.#ws.isPatient = false
    this.#ws.close(code, reason)
    // The peer's answer has to be read, but not further data of a peer that has exceeded its limit.
    if (isBehind) this.#discard()
    else this.#ws.resume()
    this.#closed(code, reason)
  }

  /** Reads further data, and drops it. */
  #discard(): void {
    this.#socket.removeAllListeners('data')
    this.#ws.resume()
    this.#socket.resume()
    // The close frame is sent then, followed by the end. Compressed frames may not be sent yet.
    if (!this.#isCompressed) this.#socket.end()
  }

  refused(): void {
    this.#refusal = this.#ws.sentCode
  }

  ended(code: number, reason: Buffer): void {
    this.#settings.ended(this)
    this.#inbox.finish(() => this.#over(code, reason))
  }

  /** The connection has ended. The peer closed it, unless its frames were refused. */
  #over(code: number, reason: Buffer): void {
    if (this.#refusal === undefined) this.#closed(code, reason.toString(), true)
    else this.#closed(this.#refusal, '')
  }

  #closed(code: number, reason: string, byPeer = false): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.authenticated()
    this.#listener?.closed(code, reason, byPeer)
  }
}

import { CLOSE_TIMEOUT } from '@token-socket/protocol'
import { type Server, WebSocket, WebSocketServer } from 'ws'
import { BatchFrames, encodeTextFrame } from './frame.js'
import { BARE, type Framing, PLAIN, SOCKJS } from './framing.js'
import { batchLimit } from './message-limit.js'
import type { PerMessageDeflate } from './per-message-deflate.js'

/** Settings of {@link makeCarriers}. */
export interface CarrierOptions {
  /** See {@link PerMessageDeflate}. @default false */
  readonly perMessageDeflate?: PerMessageDeflate
  readonly limits: {
    /** Bytes that one incoming message may have. */
    readonly message: number
    /**
     * Fragments that a frame of messages may have. One per 4 KiB of `message` is always allowed.
     */
    readonly fragments: number
  }
}

/**
 * Bytes of `limits.message` for which one fragment is always allowed, however low the limit of
 * fragments is.
 */
const FRAGMENT = 4096

/**
 * Bytes of a frame's packets, on average, at least. Each packet is kept as an object until the
 * frame is complete.
 */
const PACKET = 64

const FRAMINGS = { plain: PLAIN, sockjs: SOCKJS, bare: BARE } as const

/** How messages are framed: one a line, as SockJS does, or one a frame. */
export type FramingName = keyof typeof FRAMINGS

/**
 * A framing, with the server that handles its handshakes, and the frames that its connections
 * share.
 */
export interface Carrier {
  readonly framing: Framing
  readonly server: Server<typeof PatientWebSocket>
  readonly frames: BatchFrames
  readonly heartbeat: Buffer | undefined
}

/** Receives the events of a {@link PatientWebSocket}. */
export interface WebSocketOwner {
  /** A message came. */
  received(data: Buffer, isBinary: boolean): void
  /** A ping or a pong came. */
  control(): void
  /** The peer closes the connection, or `ws` closes it because of the peer's data. */
  closing(answer: () => void): void
  /** The connection has ended. */
  ended(code: number, reason: Buffer): void
  /** `ws` has refused the peer's data, and closes the connection. */
  refused(): void
}

/**
 * A WebSocket that lets its owner finish before it answers the peer's close, or closes because of
 * the peer's data. It calls its owner instead of listeners, which would take memory for each
 * connection.
 */
export class PatientWebSocket extends WebSocket {
  owner: WebSocketOwner | undefined
  /** Whether a close waits for the owner. Only the first one does. */
  isPatient = true
  /** The close code that was sent last: the server's own, or the peer's in return. */
  sentCode: number | undefined

  override close(code?: number, reason?: string | Buffer): void {
    const { owner, isPatient } = this
    this.sentCode = code
    this.isPatient = false
    if (!owner || !isPatient || this.readyState !== WebSocket.OPEN) return super.close(code, reason)
    owner.closing(() => super.close(code, reason))
  }

  override emit(event: string | symbol, first?: unknown, second?: unknown): boolean {
    const { owner } = this
    if (!owner) return super.emit(event, first, second)
    if (event === 'message') owner.received(first as Buffer, second as boolean)
    else if (event === 'ping' || event === 'pong') owner.control()
    else if (event === 'close') owner.ended(first as number, second as Buffer)
    else if (event === 'error') owner.refused()
    else return super.emit(event, first, second)
    return true
  }
}

/** Creates a carrier for each framing. */
export function makeCarriers(options: CarrierOptions): Readonly<Record<FramingName, Carrier>> {
  const { plain, sockjs, bare } = FRAMINGS
  return {
    plain: carrierOf(plain, options),
    sockjs: carrierOf(sockjs, options),
    bare: carrierOf(bare, options),
  }
}

function carrierOf(framing: Framing, { limits, perMessageDeflate = false }: CarrierOptions): Carrier {
  const settings = {
    WebSocket: PatientWebSocket,
    noServer: true,
    clientTracking: false,
    maxPayload: batchLimit(limits.message, framing.writing),
    maxFragments: Math.max(limits.fragments, Math.ceil(limits.message / FRAGMENT)),
    maxBufferedChunks: Math.max(16_384, Math.ceil(limits.message / PACKET)),
    perMessageDeflate: framing.isSeparate ? false : perMessageDeflate,
    closeTimeout: CLOSE_TIMEOUT,
    // No subprotocol is used here; `ws` would accept the first one offered. With `bare` the
    // application chooses, and has seen the client's offer.
    ...(!framing.isSeparate && { handleProtocols: () => false as const }),
  }
  return {
    framing,
    server: new WebSocketServer(settings),
    frames: new BatchFrames(framing.encode),
    heartbeat: framing.heartbeat === undefined ? undefined : encodeTextFrame(framing.heartbeat),
  }
}

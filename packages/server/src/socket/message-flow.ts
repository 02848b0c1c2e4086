import type { BufferedConnection, BufferedListener } from './buffered-connection.js'
import { BulkQueue } from './bulk-queue.js'
import type { SlowReader } from './closings.js'
import { HeldSize } from './held-size.js'
import { type Flusher, Outbox, type OutboxOptions } from './outbox.js'
import { PausedMessages } from './paused-messages.js'

/** Limits on waiting messages of one socket; see the server's limits of the same names. */
export interface FlowLimits {
  readonly outbox: number
  readonly readTimeout: number
  readonly message: number
}

/** Dependencies of a {@link MessageFlow} that all sockets of a server share. */
export interface MessageFlowOwner {
  readonly flusher: Flusher
  readonly limits: FlowLimits
}

/** The socket of a {@link MessageFlow}. */
export interface FlowingSocket {
  /** Handles a message of the client, when its turn has come. */
  handle(text: unknown): void
  /** The client does not read: the connection is about to be closed. */
  slow(reader: SlowReader): void
  /** The connection is closed. */
  disconnected(code: number, text: string, byPeer?: boolean): void
}

/** Messages of the largest size that may wait until their client reads. */
const PAUSED = 4

/**
 * Connects a socket to its connection: messages to and from the client move at the pace at which
 * the client reads. A client that was never behind needs the outbox only.
 */
export class MessageFlow implements BufferedListener, OutboxOptions {
  readonly outbox: Outbox
  readonly #connection: BufferedConnection
  readonly #owner: MessageFlowOwner
  readonly #socket: FlowingSocket
  #isBulk = false
  #bulk: BulkQueue | undefined
  #isOver = false
  #paused: PausedMessages | undefined
  #held: HeldSize | undefined

  constructor(connection: BufferedConnection, owner: MessageFlowOwner, socket: FlowingSocket) {
    this.#connection = connection
    this.#owner = owner
    this.#socket = socket
    this.outbox = new Outbox(connection, this)
  }

  /** Runs the tasks that produce large answers for the client. */
  get bulk(): BulkQueue {
    if (!this.#bulk) {
      this.#bulk = new BulkQueue(this.outbox)
      if (this.#isOver) this.#bulk.end()
    }
    return this.#bulk
  }

  /** The publications that are held until the client's subscriptions are recovered. */
  get held(): HeldSize {
    this.#held ??= new HeldSize()
    return this.#held
  }

  /** Sends a frame. */
  add(frame: string): void {
    if (this.#isBulk) this.outbox.addBulk(frame)
    else this.outbox.add(frame)
  }

  /** What is sent while `run` runs counts as bulk, which the client has requested. */
  inBulk(run: () => void): void {
    const before = this.#isBulk
    this.#isBulk = true
    try {
      run()
    } finally {
      this.#isBulk = before
    }
  }

  get flusher(): Flusher {
    return this.#owner.flusher
  }

  get budget(): number {
    return this.#owner.limits.outbox
  }

  get readTimeout(): number {
    return this.#owner.limits.readTimeout
  }

  onslow(reader: SlowReader): void {
    this.#socket.slow(reader)
  }

  ondrained(): void {
    this.#paused?.resume()
    this.#bulk?.resume()
  }

  message(text: unknown): void {
    if (!this.#paused && this.outbox.hasRoom()) return this.#socket.handle(text)
    this.#paused ??= this.#pausing()
    this.#paused.take(text)
  }

  closed(code: number, reason: string, byPeer?: boolean): void {
    this.#socket.disconnected(code, reason, byPeer)
  }

  /** The connection has ended. */
  end(): void {
    this.#isOver = true
    this.outbox.clear()
    this.#paused?.clear()
    this.#bulk?.end()
  }

  #pausing(): PausedMessages {
    return new PausedMessages({
      limit: PAUSED * this.#owner.limits.message,
      hasRoom: () => this.outbox.hasRoom(),
      receive: (text) => this.#socket.handle(text),
      onoverflow: () => this.outbox.overflow(),
      setPaused: (isPaused) => this.#connection.setPaused?.(isPaused),
    })
  }
}

import {
  type ClientMessage,
  type Connection,
  decodeServerMessage,
  encodeClientMessage,
  FrameError,
  GOING_AWAY,
  type ServerMessage,
  type SessionInfo,
} from '@token-socket/protocol'
import type { Logger } from '../settings/options.js'
import { checkSent, type Sent } from '../settings/send-limits.js'

/** Receives the messages and the end of a connection. */
export interface MessageListener {
  /** A message arrived, in the order of sending. */
  receive(message: ServerMessage, link: MessageConnection): void
  /**
   * The connection has ended. Called once, last, and never after one's own {@link
   * MessageConnection.close}.
   */
  closed(code: number, reason: string): void
}

/** Sees each frame as it arrives or is sent. */
export type Tap = (direction: 'frameIn' | 'frameOut', text: string) => void

/**
 * Bytes of messages that are sent in one frame, with a line break after each, unless a single
 * message is larger. Every server of this library accepts as many. The estimate is three bytes for
 * each UTF-16 code unit.
 */
const BATCH = 32_768

/** A connection that encodes and decodes messages. */
export class MessageConnection {
  /** The transport's name: `websocket`, `xhr-streaming`, … */
  readonly transport: string
  /** Resolves when the connection has ended, whichever side closed it. */
  readonly whenClosed: Promise<void>
  /** The server's answer to the token. The legacy server sends no such answer. */
  session: SessionInfo | undefined
  #heardAt = performance.now()
  readonly #connection: Connection
  readonly #logger: Logger
  readonly #tap: Tap
  #listener: MessageListener
  #batch: string[] = []
  #batchBytes = 0
  #isClosed = false
  #buffered: ServerMessage[] | undefined
  #lostBy: Parameters<MessageListener['closed']> | undefined

  constructor(
    connection: Connection,
    listener: MessageListener,
    { logger, tap }: { readonly logger: Logger; readonly tap: Tap },
  ) {
    this.#connection = connection
    this.transport = connection.transport
    this.#listener = listener
    this.#logger = logger
    this.#tap = tap
    this.whenClosed = new Promise((resolve) => {
      connection.listen({
        heard: () => {
          this.#heardAt = performance.now()
        },
        message: (text) => this.#receive(text),
        closed: (...by) => {
          resolve()
          this.#lost(...by)
        },
      })
    })
  }

  /** Whether the server is the legacy one, which accepts one message per frame and answers less. */
  get isLegacy(): boolean {
    return this.session === undefined
  }

  /** Milliseconds since anything arrived. */
  get idleTime(): number {
    return performance.now() - this.#heardAt
  }

  /** Keeps messages until {@link listen}. */
  hold(): void {
    this.#buffered = []
  }

  /** Replaces the listener. Kept messages, and a loss of the connection, are delivered at once. */
  listen(listener: MessageListener): void {
    this.#listener = listener
    const held = this.#buffered ?? []
    this.#buffered = undefined
    for (const message of held) if (!this.#isClosed || this.#lostBy) listener.receive(message, this)
    if (this.#lostBy) listener.closed(...this.#lostBy)
  }

  /**
   * Sends one message, as {@link sendText} does. @throws RpcError `unserializable`, and those of
   * {@link sendText}
   */
  send(message: ClientMessage, sent?: Sent): void {
    this.sendText(encodeClientMessage(message), sent)
  }

  /**
   * Sends one encoded message. Messages of one turn leave in one frame, unless the server is the
   * legacy one. Does nothing if the connection has ended.
   * @param sent what it is, if the server may not support it. @default a message that every server
   *   supports
   * @throws RpcError `unsupported`, `too_large`
   */
  sendText(text: string, sent?: Sent): void {
    if (this.#isClosed) return
    if (sent) checkSent(this.session, text, sent)
    this.#tap('frameOut', text)
    if (this.isLegacy) this.#connection.send([text])
    else this.#add(text)
  }

  /** Closes the connection, after sending what was queued. Later messages are ignored. */
  close(): void {
    if (this.#isClosed) return
    this.#flush()
    this.#isClosed = true
    this.#connection.close(GOING_AWAY.code, GOING_AWAY.reason)
  }

  #add(text: string): void {
    const bytes = text.length * 3 + 1
    if (this.#batchBytes + bytes > BATCH) this.#flush()
    // Not `queueMicrotask`: fake timers of test tools, such as Jest's, would hold it back.
    if (this.#batch.length === 0) Promise.resolve().then(() => this.#flush())
    this.#batch.push(text)
    this.#batchBytes += bytes
  }

  #flush(): void {
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    if (batch.length > 0) this.#connection.send(batch)
  }

  #receive(text: unknown): void {
    if (this.#isClosed) return
    this.#tap('frameIn', String(text))
    const message = this.#decode(text)
    if (!message) return
    if (this.#buffered) this.#buffered.push(message)
    else this.#listener.receive(message, this)
  }

  #decode(text: unknown): ServerMessage | undefined {
    try {
      return decodeServerMessage(text)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#logger.warn?.('A frame of the server could not be read', error)
      return undefined
    }
  }

  #lost(...by: Parameters<MessageListener['closed']>): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#lostBy = by
    this.#listener.closed(...by)
  }
}

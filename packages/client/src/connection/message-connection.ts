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

/** What is notified of a link. */
export interface MessageListener {
  /** A message came, in the order of sending. */
  receive(message: ServerMessage, link: MessageConnection): void
  /** The link is over. Called once, last, and never after one's own {@link MessageConnection.close}. */
  closed(code: number, reason: string): void
}

/** Sees a message as it comes or goes. */
export type Tap = (direction: 'frameIn' | 'frameOut', text: string) => void

/**
 * Bytes of messages that leave together, with a line break after each, unless one message alone is larger. Every server of
 * this library takes as many. What is counted is the most that a text may take: three for each UTF-16 code unit.
 */
const BATCH = 32_768

/** A connection that speaks the wire: messages in, messages out. */
export class MessageConnection {
  /** What carries it: `websocket`, `xhr-streaming`, … */
  readonly transport: string
  /** Resolves when the connection is over, whichever side closed it. */
  readonly whenClosed: Promise<void>
  /** What the server said when it let us in. The legacy server says nothing. */
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

  /** Whether the server is the legacy one, which takes one message a frame and answers less. */
  get isLegacy(): boolean {
    return this.session === undefined
  }

  /** Milliseconds since anything came. */
  get idleTime(): number {
    return performance.now() - this.#heardAt
  }

  /** Keeps what comes until {@link listen}. */
  hold(): void {
    this.#buffered = []
  }

  /** Changes what is notified of it. What was kept, and that the link is lost already, is told at once. */
  listen(listener: MessageListener): void {
    this.#listener = listener
    const held = this.#buffered ?? []
    this.#buffered = undefined
    for (const message of held) if (!this.#isClosed || this.#lostBy) listener.receive(message, this)
    if (this.#lostBy) listener.closed(...this.#lostBy)
  }

  /** Sends one message, as {@link sendText} does. @throws RpcError `unserializable`, and what that throws */
  send(message: ClientMessage, sent?: Sent): void {
    this.sendText(encodeClientMessage(message), sent)
  }

  /**
   * Sends one encoded message. From this library's server on, the messages of one turn leave as one frame. Does nothing when
   * the link is over.
   * @param sent what it is, if the server may not take it. @default a message that every server takes
   * @throws RpcError `unsupported`, `too_large`
   */
  sendText(text: string, sent?: Sent): void {
    if (this.#isClosed) return
    if (sent) checkSent(this.session, text, sent)
    this.#tap('frameOut', text)
    if (this.isLegacy) this.#connection.send([text])
    else this.#add(text)
  }

  /** Ends the link. What was sent goes out first; nothing that comes is heard of any more. */
  close(): void {
    if (this.#isClosed) return
    this.#flush()
    this.#isClosed = true
    this.#connection.close(GOING_AWAY.code, GOING_AWAY.reason)
  }

  #add(text: string): void {
    const bytes = text.length * 3 + 1
    if (this.#batchBytes + bytes > BATCH) this.#flush()
    // Not by `queueMicrotask`: fake timers of test tools, such as Jest's, would hold it back.
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

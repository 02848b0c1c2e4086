import { CLOSE_CODES } from '@token-socket/protocol'
import type { BufferedConnection } from './buffered-connection.js'

/** Sends what the outboxes of one event-loop turn hold, with one `setImmediate` for all of them. */
export class Flusher {
  #due = new Set<Outbox>()

  /** This outbox has something to send. */
  schedule(outbox: Outbox): void {
    if (this.#due.size === 0) setImmediate(() => this.flush())
    this.#due.add(outbox)
  }

  /** Sends now. */
  flush(): void {
    const due = this.#due
    this.#due = new Set()
    for (const outbox of due) outbox.flush()
  }
}

/**
 * The outgoing messages of one socket. Those of one event-loop turn leave together, in the order in which they were
 * added. When more bytes than the budget wait for a reader that does not read, the connection is closed as
 * `slow_consumer` and what waits is dropped. (Within one turn, UTF-16 code units stand for bytes.)
 */
export class Outbox {
  readonly #connection: BufferedConnection
  readonly #flusher: Flusher
  readonly #budget: number
  #messages: string[] = []
  #size = 0

  /** @param budget bytes that may wait, counted before a message is added: one message alone may be larger */
  constructor(connection: BufferedConnection, flusher: Flusher, budget: number) {
    this.#connection = connection
    this.#flusher = flusher
    this.#budget = budget
  }

  /** Adds a message. */
  add(message: string): void {
    if (this.#size > this.#budget) this.flush()
    if (this.#connection.bufferedBytes > this.#budget) return this.#overflow()
    if (this.#messages.length === 0) this.#flusher.schedule(this)
    this.#messages.push(message)
    this.#size += message.length
  }

  /** Hands all that waits to the connection, as one batch. */
  flush(): void {
    if (this.#messages.length === 0) return
    const messages = this.#messages
    this.#messages = []
    this.#size = 0
    this.#connection.send(messages)
  }

  #overflow(): void {
    this.#messages = []
    this.#size = 0
    const { code, reason } = CLOSE_CODES.slow_consumer
    this.#connection.close(code, reason)
  }
}

/**
 * Connections for tests: a pair of ends in memory that records both sides and can hold messages back.
 * Nothing here is meant for production.
 *
 * @module @token-socket/protocol/testing
 */
import type { Connection, ConnectionListener } from './connection.js'

/** One end of a {@link connectionPair}. */
export class TestConnection implements Connection {
  readonly transport = 'memory'
  /** Settable, to play a network that takes nothing. */
  bufferedBytes = 0
  /** Called by a test when the network takes what waits; set by the one that sends. */
  ondrained: (() => void) | undefined
  /** Every message that this end sent, oldest first. */
  readonly sent: string[] = []
  /** How this end was closed, by whichever side; `undefined` while it is open. */
  closed: { readonly code: number; readonly reason: string } | undefined
  /** The number of `send` calls: one a batch. */
  batches = 0
  #other: TestConnection | undefined
  #listener: ConnectionListener | undefined
  #held: string[] | undefined
  #inbox: unknown[] = []
  #isDelivering = false

  /** Joins two ends. */
  static join(left: TestConnection, right: TestConnection): void {
    left.#other = right
    right.#other = left
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
    this.#deliver()
  }

  send(messages: readonly string[]): void {
    if (this.closed) return
    this.batches += 1
    this.sent.push(...messages)
    if (this.#held) this.#held.push(...messages)
    else if (this.#other) this.#other.#take(messages)
  }

  close(code: number, reason: string): void {
    if (this.closed) return
    this.#inbox = []
    for (const end of [this, this.#other]) if (end) end.#end(code, reason)
  }

  /** Plays a message from the other side, of any type. */
  receive(text: unknown): void {
    this.#take([text])
  }

  /** From now on what this end sends waits. */
  hold(): void {
    this.#held ??= []
  }

  /** Delivers what waits, and holds nothing back from then on. */
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    if (this.#other) this.#other.#take(held)
  }

  #take(messages: readonly unknown[]): void {
    if (this.closed) return
    this.#inbox.push(...messages)
    this.#deliver()
  }

  #end(code: number, reason: string): void {
    this.closed = { code, reason }
    this.#deliver()
  }

  /** One message at a time: what a listener causes to be sent comes after what was sent before it. */
  #deliver(): void {
    if (!this.#listener || this.#isDelivering) return
    this.#isDelivering = true
    try {
      while (this.#inbox.length > 0) this.#listener.message(this.#inbox.shift())
    } finally {
      this.#isDelivering = false
    }
    if (this.closed) this.#listener.closed(this.closed.code, this.closed.reason)
  }
}

/** Two connections, each the other's far end. What one sends the other receives at once, unless it is held. */
export function connectionPair(): { readonly left: TestConnection; readonly right: TestConnection } {
  const [left, right] = [new TestConnection(), new TestConnection()]
  TestConnection.join(left, right)
  return { left, right }
}

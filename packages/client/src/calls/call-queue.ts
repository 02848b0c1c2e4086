import { type ClientMessage, limitError } from '@token-socket/protocol'

/** A call that waits for a connection. */
export interface QueuedCall {
  /** Its encoded message, fixed when the call was made. */
  readonly text: string
  /** The message, for its type and the names in it. Its data may have changed since. */
  readonly message: ClientMessage
  /** Whether it was taken from the queue and sent. */
  isSent?: boolean
}

/**
 * The calls that wait to be sent, oldest first. Calls that have settled meanwhile, by time-out or
 * abort, are not returned.
 */
export class CallQueue {
  readonly #calls = new Map<string, QueuedCall>()
  readonly #limit: number
  readonly #isPending: (id: string) => boolean

  /**
   * @param limit how many calls may wait
   * @param isPending whether a call still waits for its outcome
   */
  constructor(limit: number, isPending: (id: string) => boolean) {
    this.#limit = limit
    this.#isPending = isPending
  }

  /** Whether this call waits here, and so was never sent. */
  has(id: string): boolean {
    return this.#calls.has(id)
  }

  /** @throws RpcError `queue_full` */
  add(id: string, call: QueuedCall): void {
    const limit = this.#limit
    if (this.#calls.size >= limit) this.#forgetSettled()
    if (this.#calls.size >= limit) throw limitError('queue_full', { field: 'queueSize', limit })
    this.#calls.set(id, call)
  }

  /** How many calls are queued. Some may have settled. */
  get size(): number {
    return this.#calls.size
  }

  /** Removes and returns the oldest call that still waits for its outcome. */
  takeNext(): readonly [id: string, call: QueuedCall] | undefined {
    for (const entry of this.#calls) {
      this.#calls.delete(entry[0])
      if (this.#isPending(entry[0])) return entry
    }
    return undefined
  }

  /** Forgets all calls. */
  clear(): void {
    this.#calls.clear()
  }

  #forgetSettled(): void {
    for (const id of this.#calls.keys()) if (!this.#isPending(id)) this.#calls.delete(id)
  }
}

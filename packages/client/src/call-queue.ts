import { type ClientMessage, refusal } from '@token-socket/protocol'

/** A call that waits for a link. */
export interface QueuedCall {
  /** Its message as it will go out, fixed when the call was made. */
  readonly text: string
  /** The message, for its type and the names in it: its data may have changed since. */
  readonly message: ClientMessage
}

/**
 * The calls made while there is no link, oldest first. Calls that have settled meanwhile, by time-out or abort, are
 * never given out.
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

  /** Whether this call waits here: it was never sent. */
  has(id: string): boolean {
    return this.#calls.has(id)
  }

  /** @throws RpcError `queue_full` */
  add(id: string, call: QueuedCall): void {
    if (this.#calls.size >= this.#limit) this.#forgetSettled()
    if (this.#calls.size >= this.#limit) {
      throw refusal('queue_full', { field: 'queueSize', limit: this.#limit })
    }
    this.#calls.set(id, call)
  }

  /** Empties the queue. @returns the calls that still wait for their outcome, oldest first */
  takeAll(): readonly (readonly [id: string, call: QueuedCall])[] {
    this.#forgetSettled()
    const calls = [...this.#calls]
    this.clear()
    return calls
  }

  /** Forgets all that wait. */
  clear(): void {
    this.#calls.clear()
  }

  #forgetSettled(): void {
    for (const id of this.#calls.keys()) if (!this.#isPending(id)) this.#calls.delete(id)
  }
}

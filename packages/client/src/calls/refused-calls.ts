import { type Outcome, startTimeout } from '@token-socket/protocol'
import { CallQueue, type QueuedCall } from './call-queue.js'

/**
 * The calls that a rate limit of the server has refused. Each waits for its time, and is sent once
 * more. They are sent in the order in which they were refused, as fast as the rate allows, and
 * before newer calls.
 */
export class RefusedCalls {
  /** The calls that wait for their time. */
  readonly queue: CallQueue
  /** The calls that were sent for the first time, and have no answer yet. */
  readonly sent = new Map<string, QueuedCall>()
  readonly #ondue: () => void
  #isEarly = false
  /** Milliseconds between two calls. */
  #pace = 0

  /**
   * @param isPending whether a call still waits for its outcome
   * @param ondue called when the next call may be sent
   */
  constructor(isPending: (id: string) => boolean, ondue: () => void) {
    this.queue = new CallQueue(Number.POSITIVE_INFINITY, isPending)
    this.#ondue = ondue
  }

  /** An answer arrived. @returns whether the call waits to be sent once more */
  refused(id: string, outcome: Outcome): boolean {
    const call = this.sent.get(id)
    const { code, error } = outcome as {
      readonly code?: string
      readonly error?: { readonly data?: unknown }
    }
    if (!call || code !== 'rate_limited') return false
    const { retryAfter, limit } = Object(error?.data)
    if (!(retryAfter >= 0)) return false
    this.sent.delete(id)
    this.queue.add(id, call)
    this.#pace = 1000 / limit || retryAfter
    this.#wait(retryAfter)
    return true
  }

  /** Removes and returns the next call, if its time has come. */
  takeDue(): readonly [id: string, call: QueuedCall] | undefined {
    const next = this.#isEarly ? undefined : this.queue.takeNext()
    if (next) this.#wait(this.#pace)
    return next
  }

  #wait(ms: number): void {
    if (this.#isEarly) return
    this.#isEarly = true
    startTimeout(ms, () => {
      this.#isEarly = false
      this.#ondue()
    })
  }
}

import { type Outcome, startTimeout } from '@token-socket/protocol'
import { CallQueue, type QueuedCall } from './call-queue.js'

/**
 * The calls that the server has refused for a rate: each waits for its time, and goes out once
 * more. They go out in the order in which they were refused, as fast as the rate allows, and before
 * all that were made since.
 */
export class RefusedCalls {
  /** Those that wait for their time. */
  readonly queue: CallQueue
  /** Those that were sent for the first time, and are not over. */
  readonly sent = new Map<string, QueuedCall>()
  readonly #ondue: () => void
  #isEarly = false
  /** Milliseconds between two calls. */
  #pace = 0

  /**
   * @param isPending whether a call still waits for its outcome
   * @param ondue called when the next may go out
   */
  constructor(isPending: (id: string) => boolean, ondue: () => void) {
    this.queue = new CallQueue(Number.POSITIVE_INFINITY, isPending)
    this.#ondue = ondue
  }

  /** An answer came. @returns whether the call waits, and goes out once more */
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

  /** Takes the next one, if its time has come. */
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

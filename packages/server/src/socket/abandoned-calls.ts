import { type IncomingCall, type PlainError, plainRefusal, type Timeouts } from '@token-socket/protocol'

/** Limits of {@link AbandonedCalls}. */
export interface AbandonedLimits {
  /** The most abandoned calls. */
  readonly abandonedCalls: number
  /** The most UTF-16 code units of their messages together. A single one may have more. */
  readonly callBytes: number
}

/**
 * The calls of one client that were cancelled or have timed out, and whose functions still run. A
 * function that ignores its signal keeps working. So a client that calls and cancels endlessly is
 * refused new calls until its functions have ended.
 */
export class AbandonedCalls {
  readonly #calls = new Map<IncomingCall, () => void>()
  readonly #limits: AbandonedLimits
  readonly #timeouts: Timeouts
  #bytes = 0

  constructor(limits: AbandonedLimits, timeouts: Timeouts) {
    this.#limits = limits
    this.#timeouts = timeouts
  }

  /** Returns why no call may begin now, if so. */
  refusal(): PlainError | undefined {
    const { abandonedCalls: limit, callBytes } = this.#limits
    if (this.#calls.size >= limit) return plainRefusal('too_many_calls', { field: 'abandonedCalls', limit })
    if (this.#bytes <= callBytes) return undefined
    return plainRefusal('too_many_calls', { field: 'callBytes', limit: callBytes })
  }

  /**
   * A call has ended whose function still runs.
   * @param longest milliseconds after which the function counts no longer
   */
  add(call: IncomingCall, longest: number): void {
    const settled = () => this.remove(call)
    this.#calls.set(call, settled)
    this.#bytes += call.bytes ?? 0
    this.#timeouts.set(settled, longest)
  }

  /** The function of a call has ended. Does nothing for an unknown call. */
  remove(call: IncomingCall): void {
    const settled = this.#calls.get(call)
    if (!settled) return
    this.#calls.delete(call)
    this.#bytes -= call.bytes ?? 0
    this.#timeouts.delete(settled)
  }

  /** Forgets all calls: the client has disconnected. */
  clear(): void {
    for (const call of [...this.#calls.keys()]) this.remove(call)
  }
}

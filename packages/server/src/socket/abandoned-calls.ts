import { type IncomingCall, type PlainError, plainRefusal, type Timeouts } from '@token-socket/protocol'

/** Bounds of {@link AbandonedCalls}. */
export interface AbandonedLimits {
  /** How many there may be. */
  readonly abandonedCalls: number
  /** UTF-16 code units that their messages may have together. A single one may have more. */
  readonly callBytes: number
}

/**
 * The calls of one client that were cancelled, or have timed out, and whose functions still run. A function that ignores its signal
 * goes on working: so a client that calls and cancels without end is refused new calls until its functions are done.
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

  /** Why no call may begin now. */
  refusal(): PlainError | undefined {
    const { abandonedCalls: limit, callBytes } = this.#limits
    if (this.#calls.size >= limit) return plainRefusal('too_many_calls', { field: 'abandonedCalls', limit })
    if (this.#bytes <= callBytes) return undefined
    return plainRefusal('too_many_calls', { field: 'callBytes', limit: callBytes })
  }

  /**
   * A call ended whose function still runs.
   * @param longest milliseconds that it may go on; then it is taken to have been forgotten, and does not count any more
   */
  add(call: IncomingCall, longest: number): void {
    const settled = () => this.remove(call)
    this.#calls.set(call, settled)
    this.#bytes += call.bytes ?? 0
    this.#timeouts.set(settled, longest)
  }

  /** The function of a call is done. Does nothing if the call is not here. */
  remove(call: IncomingCall): void {
    const settled = this.#calls.get(call)
    if (!settled) return
    this.#calls.delete(call)
    this.#bytes -= call.bytes ?? 0
    this.#timeouts.delete(settled)
  }

  /** Forgets all: the client is gone. */
  clear(): void {
    for (const call of [...this.#calls.keys()]) this.remove(call)
  }
}

import { onAbort } from './abort-signal.js'
import type { CancelReason } from './call-context.js'
import { type CallOptions, checkCallOptions, gaveUp } from './call-options.js'
import { callSite, showCallSite } from './call-site.js'
import { errorFrom, limitError, type RpcError } from './errors.js'
import { callFailure } from './nested-failure.js'
import type { RpcListener } from './rpc-listener.js'
import type { Timeouts } from './timeout-scheduler.js'

/** Limits of {@link PendingCalls}; they are read for each call. */
export interface PendingCallLimits {
  /** Milliseconds, for calls that name none. */
  readonly timeout: number
  /** How many may wait at once. */
  readonly callsOut: number
}

/** Ends a request: with an error, or else with its answer. */
type Settle = (error: RpcError | undefined, data?: unknown) => void

/**
 * The requests that wait for an answer. Each settles exactly once: by its answer, its time-out, its abort signal, or
 * {@link rejectAll}.
 */
export class PendingCalls {
  readonly #calls = new Map<string, Settle>()
  readonly #limits: PendingCallLimits
  readonly #timeouts: Timeouts
  readonly #listener: Pick<RpcListener, 'cancel' | 'unsentCause'> | undefined
  #lastId = 0

  /**
   * @param timeouts may be shared with others
   * @param listener receives the requests that were aborted or have timed out, so that their other ends can stop
   */
  constructor(
    limits: PendingCallLimits,
    timeouts: Timeouts,
    listener?: Pick<RpcListener, 'cancel' | 'unsentCause'>,
  ) {
    this.#limits = limits
    this.#timeouts = timeouts
    this.#listener = listener
  }

  /** How many wait. */
  get size(): number {
    return this.#calls.size
  }

  /** Whether this request still waits. */
  has(id: string): boolean {
    return this.#calls.has(id)
  }

  /**
   * Opens a request: a new id, of digits only, and the promise of its answer.
   * @param name of the function that it calls, if it calls one
   * @throws RpcError `too_many_calls`, `aborted`; `bad_option` for an option that is wrong
   */
  open(
    options: CallOptions = {},
    name?: string,
  ): {
    readonly id: string
    readonly answer: Promise<unknown>
  } {
    const { signal, timeout = this.#limits.timeout } = options
    // What throws below would leave a call open that has no caller.
    checkCallOptions(options, timeout)
    if (signal?.aborted) throw gaveUp('aborted', name, signal.reason)
    const { callsOut: limit } = this.#limits
    if (this.#calls.size >= limit) throw limitError('too_many_calls', { field: 'calls', limit })
    const id = String(++this.#lastId)
    const site = callSite()
    const timedOut = () => this.#cancel(id, gaveUp('timeout', name, this.#listener?.unsentCause?.(id)))
    let unwatch = () => {}
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, (error, data) => {
        this.#calls.delete(id)
        this.#timeouts.delete(timedOut)
        unwatch()
        if (error) {
          showCallSite(error, site)
          reject(callFailure(error, name))
        } else resolve(data)
      })
    })
    this.#timeouts.set(timedOut, timeout)
    if (signal) unwatch = onAbort(signal, () => this.#cancel(id, gaveUp('aborted', name, signal.reason)))
    return { id, answer }
  }

  /** The answer came. Does nothing if the request has settled, as when it timed out before. */
  resolve(id: string, data: unknown): void {
    this.#calls.get(id)?.(undefined, data)
  }

  /** The request failed. Does nothing if it has settled. */
  reject(id: string, error: RpcError): void {
    this.#calls.get(id)?.(error)
  }

  /** Fails every request, or those that `which` picks, each with an error of its own that says the same. */
  rejectAll(error: RpcError, which: (id: string) => boolean = () => true): void {
    for (const id of [...this.#calls.keys()].filter(which)) this.reject(id, errorFrom(error))
    this.#timeouts.disarmIfEmpty()
  }

  #cancel(id: string, error: RpcError): void {
    this.reject(id, error)
    this.#listener?.cancel?.(id, error.code as CancelReason)
  }
}

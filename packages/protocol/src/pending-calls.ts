import type { Timeouts } from './deadlines.js'
import { RpcError, refusal } from './errors.js'

/** How long a call may take, and how it can be given up. */
export interface CallOptions {
  /** Milliseconds until the call fails with `timeout`; 0 or `Infinity` for never. @default 30000 */
  readonly timeout?: number | undefined
  /** Gives the call up: it fails with `aborted`, at once if it is aborted already. */
  readonly signal?: AbortSignal | undefined
}

interface PendingCall {
  resolve(data: unknown): void
  reject(error: RpcError): void
  /** The time-out. */
  expire(): void
  /** Stops listening to the abort signal. */
  forget(): void
}

/**
 * The requests that wait for an answer. Each settles exactly once: by its answer, its time-out, its abort signal, or
 * {@link rejectAll}.
 */
export class PendingCalls {
  readonly #calls = new Map<string, PendingCall>()
  readonly #timeouts: Timeouts
  readonly #timeout: number
  readonly #limit: number
  #lastId = 0

  /**
   * @param limits.timeout milliseconds, for calls that name none
   * @param limits.calls how many may wait at once
   * @param timeouts may be shared with others
   */
  constructor(limits: { readonly timeout: number; readonly calls: number }, timeouts: Timeouts) {
    this.#timeouts = timeouts
    this.#timeout = limits.timeout
    this.#limit = limits.calls
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
   * @throws RpcError `too_many_calls`, `aborted`
   */
  open(options: CallOptions = {}): { readonly id: string; readonly answer: Promise<unknown> } {
    if (options.signal?.aborted) throw new RpcError('aborted')
    if (this.#calls.size >= this.#limit)
      throw refusal('too_many_calls', { field: 'calls', limit: this.#limit })
    const id = String(++this.#lastId)
    const expire = () => this.reject(id, new RpcError('timeout'))
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, expire, forget: this.#abortable(id, options.signal) })
    })
    this.#timeouts.set(expire, options.timeout ?? this.#timeout)
    return { id, answer }
  }

  /** The answer came. Does nothing if the request has settled, as when it timed out before. */
  resolve(id: string, data: unknown): void {
    this.#take(id)?.resolve(data)
  }

  /** The request failed. Does nothing if it has settled. */
  reject(id: string, error: RpcError): void {
    this.#take(id)?.reject(error)
  }

  /** Fails every request, or those that `which` picks. */
  rejectAll(error: RpcError, which: (id: string) => boolean = () => true): void {
    for (const id of [...this.#calls.keys()].filter(which)) this.reject(id, error)
    this.#timeouts.rest()
  }

  #take(id: string): PendingCall | undefined {
    const call = this.#calls.get(id)
    if (!call) return undefined
    this.#calls.delete(id)
    this.#timeouts.delete(call.expire)
    call.forget()
    return call
  }

  #abortable(id: string, signal: AbortSignal | undefined): () => void {
    if (!signal) return () => {}
    const abort = () => this.reject(id, new RpcError('aborted'))
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }
}

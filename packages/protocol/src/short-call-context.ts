import { abortWith } from './abort-with.js'
import type { CallContext, CallEnd } from './call-context.js'
import { RpcError } from './errors.js'

/** In the place of `call-context` in scripts whose bytes count: a page runs few calls, so the signal is made at once. */
export class RunningContext implements CallContext {
  readonly name: string
  readonly deadline: number
  readonly signal: AbortSignal
  readonly #controller = new AbortController()

  /** @param timeout milliseconds */
  constructor(name: string, timeout: number) {
    this.name = name
    this.deadline = Date.now() + (timeout || Number.POSITIVE_INFINITY)
    this.signal = this.#controller.signal
  }

  /** Aborts a call's signal. */
  static abort(context: RunningContext, end: CallEnd): void {
    abortWith(context.#controller, new RpcError(end))
  }
}

import { abortWith } from './abort-with.js'
import { RpcError } from './errors.js'

/** Why a caller cancelled its call. */
export type CancelReason = 'aborted' | 'timeout'

/**
 * Why a call ended before its function answered: the code of the error that its signal aborts with.
 */
export type CallEnd = CancelReason | 'connection_lost'

/** A call, as its function sees it. */
export interface CallContext {
  /** The dotted name by which the function was called. */
  readonly name: string
  /** When the call times out, in milliseconds since 1970; `Infinity` for never. */
  readonly deadline: number
  /**
   * Aborts when the call ends before the function has answered. Its reason is an RpcError:
   * `aborted` if the caller cancelled the call, `timeout`, or `connection_lost`. A later answer is
   * dropped. The signal is created when it is read: a copy of the context, as by `{ ...call }`,
   * lacks it.
   */
  readonly signal: AbortSignal
}

/** A running call. Its signal is created when it is read. */
export class RunningContext implements CallContext {
  readonly name: string
  readonly deadline: number
  /** How the call ended, until its signal is read. */
  #controller: AbortController | CallEnd | undefined

  /** @param timeout milliseconds */
  constructor(name: string, timeout: number) {
    this.name = name
    this.deadline = Date.now() + (timeout || Number.POSITIVE_INFINITY)
  }

  get signal(): AbortSignal {
    const controller = this.#controller
    if (typeof controller === 'object') return controller.signal
    const made = new AbortController()
    this.#controller = made
    if (controller) abortWith(made, new RpcError(controller))
    return made.signal
  }

  /**
   * Aborts a call's signal. Not a method, so that functions only see the members of {@link
   * CallContext}.
   */
  static abort(context: RunningContext, end: CallEnd): void {
    if (typeof context.#controller === 'object') abortWith(context.#controller, new RpcError(end))
    else context.#controller = end
  }
}

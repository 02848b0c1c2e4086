import {
  type AnswerForm,
  type CallAround,
  type CallContext,
  type CallEnd,
  isAbortError,
  RpcError,
  type Timeouts,
} from '@token-socket/protocol'
import type { ServerSocket } from '../socket/server-socket.js'
import type { Middleware, MiddlewareContext } from './contexts.js'
import type { MiddlewareReports } from './middleware-reports.js'
import { MiddlewareRun } from './middleware-run.js'
import { CallRequest, type RequestSubject } from './request-contexts.js'

/** What wrapped requests share. */
export interface WrappedParts {
  readonly steps: readonly Middleware[]
  readonly reports: MiddlewareReports
  readonly timeouts: Timeouts
  readonly limits: {
    /** Milliseconds for middleware before a request is carried out, and again after it. */
    readonly vetoTimeout: number
    /**
     * Milliseconds for which a function that answers by callback counts after its call was
     * cancelled.
     */
    readonly callTimeout: number
  }
}

/** Runs the function of a call with its arguments before the callback. */
type RunFunction = (before: readonly unknown[]) => Promise<unknown>

/** One call with middleware around its function. */
export class WrappedCall implements CallAround {
  readonly #parts: WrappedParts
  readonly #socket: ServerSocket
  readonly #data: unknown
  /** The function's own error. */
  #own: { readonly cause: unknown } | undefined
  #end: CallEnd | undefined
  #reject: (cause: unknown) => void = () => {}

  constructor(parts: WrappedParts, socket: ServerSocket, data: unknown) {
    this.#parts = parts
    this.#socket = socket
    this.#data = data
  }

  async begin(run: RunFunction, call: CallContext): Promise<unknown> {
    const { steps, reports, timeouts } = this.#parts
    const context = new CallRequest(this.#socket, this.#data, call)
    const middleware = new MiddlewareRun<MiddlewareContext>(steps, context, {
      givesAnswer: true,
      timeouts,
      innermost: () => this.#carryOut(run, context),
      skipped: (returned) => reports.skipped(this.#subject(call), returned),
      misused: (cause) => reports.fault(this.#subject(call), cause),
      over: () => this.#end && new RpcError(this.#end),
    })
    try {
      return await middleware.start()
    } catch (cause) {
      throw this.#failure(cause, call)
    } finally {
      timeouts.delete(this.#giveUp)
    }
  }

  /**
   * A callback may never be called: its function does not keep the middleware's memory for ever.
   */
  ended(end: CallEnd, form: AnswerForm): void {
    this.#end = end
    if (form !== 'callback') return
    if (end === 'timeout') this.#giveUp()
    else this.#parts.timeouts.set(this.#giveUp, this.#parts.limits.callTimeout)
  }

  readonly #giveUp = () => {
    if (this.#end) this.#reject(new RpcError(this.#end))
  }

  async #carryOut(run: RunFunction, context: CallRequest): Promise<unknown> {
    try {
      const { data } = context
      return await new Promise((resolve, reject) => {
        this.#reject = reject
        run([this.#socket.auth, data]).then(resolve, reject)
      })
    } catch (cause) {
      this.#own = { cause }
      throw cause
    }
  }

  /** A middleware may have changed the context. */
  #subject({ name }: CallContext): RequestSubject {
    return { type: 'call', socket: this.#socket, name }
  }

  /** The error of the call. Errors of middleware other than RpcErrors are reported. */
  #failure(cause: unknown, call: CallContext): unknown {
    const isOwn = this.#own !== undefined && this.#own.cause === cause
    if (isOwn || RpcError.is(cause) || (this.#end && isAbortError(cause))) return cause
    return this.#parts.reports.fault(this.#subject(call), cause)
  }
}

import { type Action, type CallContext, RpcError, type Timeouts, withSubject } from '@token-socket/protocol'
import type { RemoteClient } from '../remote-client.js'
import { callAction } from './call-action.js'
import type { Middleware, MiddlewareContext } from './contexts.js'
import type { MiddlewareReports } from './middleware-reports.js'
import { MiddlewareRun } from './middleware-run.js'
import { CallRequest } from './request-contexts.js'

/** What wrapped requests share. */
export interface WrappedParts {
  readonly steps: readonly Middleware[]
  readonly reports: MiddlewareReports
  readonly timeouts: Timeouts
}

/** A function with middleware around it. @param action the function; `undefined` if there is none of that name */
export function wrapAction(parts: WrappedParts, name: string, action: Action = missing(name)): Action {
  return (auth, data, callback, socket, call) => {
    const context = new CallRequest(socket as RemoteClient, data, call as CallContext)
    const answerError = callback as (error: unknown) => void
    return new WrappedCall(parts, context, call as CallContext).run(action, auth, answerError)
  }
}

/** One call of a function with middleware around it. */
class WrappedCall {
  readonly #parts: WrappedParts
  readonly #context: CallRequest
  readonly #call: CallContext
  /** What the function itself failed with; for an error that its callback was given, that as it was given. */
  #own: { readonly cause: unknown; readonly given?: { readonly error: unknown } } | undefined

  constructor(parts: WrappedParts, context: CallRequest, call: CallContext) {
    this.#parts = parts
    this.#context = context
    this.#call = call
  }

  /**
   * Runs the middleware, and the function in their midst.
   * @param answerError answers with an error that the function's own callback was given: no rejection says the same
   */
  run(action: Action, auth: unknown, answerError: (error: unknown) => void): Promise<unknown> {
    const { steps, reports, timeouts } = this.#parts
    const context = this.#context
    const { signal } = this.#call
    const run = new MiddlewareRun<MiddlewareContext>(steps, context, {
      givesAnswer: true,
      timeouts,
      innermost: () => this.#carryOut(action, auth),
      skipped: (returned) => reports.skipped(context, returned),
      misused: (cause) => reports.fault(context, cause),
      over: () => (signal.aborted ? (signal.reason as Error) : undefined),
    })
    const end = () => {
      if (run.hasControl && (signal.reason as RpcError).code === 'timeout') reports.late(context)
    }
    signal.addEventListener('abort', end, { once: true })
    return new Promise((resolve, reject) => {
      const settled = run.start().finally(() => signal.removeEventListener('abort', end))
      settled.then(resolve, (cause) => this.#fail(cause, reject, answerError))
    })
  }

  async #carryOut(action: Action, auth: unknown): Promise<unknown> {
    const { socket, data } = this.#context
    let given: { readonly error: unknown } | undefined
    const refused = (error: unknown) => {
      given = { error }
    }
    try {
      return await callAction(action, { before: [auth, data], after: [socket, this.#call], refused })
    } catch (cause) {
      this.#own = given ? { cause, given } : { cause }
      throw cause
    }
  }

  #fail(cause: unknown, reject: (cause: unknown) => void, answerError: (error: unknown) => void): void {
    const own = this.#own?.cause === cause ? this.#own : undefined
    if (own?.given) answerError(own.given.error)
    else if (own || RpcError.is(cause)) reject(cause)
    else if (isAbort(cause) && this.#call.signal.aborted) reject(cause)
    else reject(this.#parts.reports.fault(this.#context, cause))
  }
}

/** What the platform's own functions reject with when their signal is aborted. */
function isAbort(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError'
}

function missing(name: string): Action {
  return () => {
    throw withSubject(new RpcError('not_found'), { function: name })
  }
}

import {
  type Action,
  type CallContext,
  forCaller,
  RpcError,
  type Timeouts,
  withSubject,
} from '@token-socket/protocol'
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
  /** Milliseconds for which a function that answers by callback counts after its call was cancelled. */
  readonly callTimeout: number
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
  /** The function is to answer by its callback. */
  #awaitsCallback = false
  #reject: (cause: unknown) => void = () => {}

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
    const { signal } = this.#call
    const run = this.#makeRun(action, auth)
    const end = () => this.#end(run)
    signal.addEventListener('abort', end, { once: true })
    return new Promise((resolve, reject) => {
      this.#reject = reject
      const settled = run.start().finally(() => {
        signal.removeEventListener('abort', end)
        this.#parts.timeouts.delete(this.#giveUp)
      })
      settled.then(resolve, (cause) => this.#fail(cause, answerError))
    })
  }

  #makeRun(action: Action, auth: unknown): MiddlewareRun<MiddlewareContext> {
    const { steps, reports, timeouts } = this.#parts
    const [context, { signal }] = [this.#context, this.#call]
    return new MiddlewareRun<MiddlewareContext>(steps, context, {
      givesAnswer: true,
      timeouts,
      innermost: () => this.#carryOut(action, auth),
      skipped: (returned) => reports.skipped(context, returned),
      misused: (cause) => reports.fault(context, cause),
      over: () => (signal.aborted ? (signal.reason as Error) : undefined),
    })
  }

  /** The call ended before its answer. A callback may never be called: the function does not count as running for ever. */
  #end(run: MiddlewareRun<MiddlewareContext>): void {
    const { reports, timeouts, callTimeout } = this.#parts
    const isTimeout = (this.#call.signal.reason as RpcError).code === 'timeout'
    if (run.hasControl && isTimeout) reports.late(this.#context)
    if (run.hasControl || !this.#awaitsCallback) return
    if (isTimeout) this.#giveUp()
    else timeouts.set(this.#giveUp, callTimeout)
  }

  readonly #giveUp = () => this.#reject(this.#call.signal.reason)

  async #carryOut(action: Action, auth: unknown): Promise<unknown> {
    const { socket, data } = this.#context
    let given: { readonly error: unknown } | undefined
    const refused = (error: unknown) => {
      given = { error }
    }
    const awaited = () => {
      this.#awaitsCallback = true
    }
    const args = { before: [auth, data], after: [socket, this.#call], refused, awaited }
    try {
      return await callAction(action, args)
    } catch (thrown) {
      // The failure of a call that the function made says nothing about its own call.
      const cause = forCaller(thrown, this.#context.name)
      this.#own = given ? { cause, given } : { cause }
      throw cause
    }
  }

  #fail(cause: unknown, answerError: (error: unknown) => void): void {
    const reject = this.#reject
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

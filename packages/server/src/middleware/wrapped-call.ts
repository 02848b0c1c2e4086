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
  #run: MiddlewareRun<MiddlewareContext> | undefined
  /** Its first step runs, before anything else can happen. */
  #isFirst = true
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
    const { timeouts } = this.#parts
    this.#run = this.#makeRun(action, auth)
    timeouts.set(this.#expire, this.#call.deadline - Date.now())
    const done = this.#run.start()
    this.#isFirst = false
    return new Promise((resolve, reject) => {
      this.#reject = reject
      done.then(
        (data) => {
          this.#settle()
          resolve(data)
        },
        (cause) => {
          this.#settle()
          this.#fail(cause, answerError)
        },
      )
    })
  }

  #makeRun(action: Action, auth: unknown): MiddlewareRun<MiddlewareContext> {
    const { steps, reports, timeouts } = this.#parts
    const context = this.#context
    return new MiddlewareRun<MiddlewareContext>(steps, context, {
      givesAnswer: true,
      timeouts,
      innermost: () => this.#carryOut(action, auth),
      skipped: (returned) => reports.skipped(context, returned),
      misused: (cause) => reports.fault(context, cause),
      over: () => this.#whyOver(),
    })
  }

  /** A signal is made when it is read, and costs more than the rest: steps that do not wait need none. */
  #whyOver(): Error | undefined {
    if (this.#isFirst) return undefined
    const { aborted, reason } = this.#call.signal
    return aborted ? (reason as Error) : undefined
  }

  #settle(): void {
    const { timeouts } = this.#parts
    timeouts.delete(this.#expire)
    timeouts.delete(this.#giveUp)
  }

  readonly #expire = () => {
    if (this.#run?.hasControl) this.#parts.reports.late(this.#context)
  }

  /** A callback may never be called. Its function does not count as running for ever after its call has ended. */
  readonly #awaitCallback = () => {
    const { signal } = this.#call
    const end = () => {
      if ((signal.reason as RpcError).code === 'timeout') this.#giveUp()
      else this.#parts.timeouts.set(this.#giveUp, this.#parts.callTimeout)
    }
    signal.addEventListener('abort', end, { once: true })
  }

  readonly #giveUp = () => this.#reject(this.#call.signal.reason)

  async #carryOut(action: Action, auth: unknown): Promise<unknown> {
    const { socket, data } = this.#context
    let given: { readonly error: unknown } | undefined
    const refused = (error: unknown) => {
      given = { error }
    }
    const args = { before: [auth, data], after: [socket, this.#call], refused, awaited: this.#awaitCallback }
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

import { type CallContext, markHandled, RpcError, withSubject } from '@token-socket/protocol'
import type { ServerSocket, SocketAuth } from '@token-socket/server'
import type { ClientOperations } from '../contract.js'
import type { Calls } from '../operation-types.js'
import type { MiddlewareCall } from './handler-call.js'

/** A call, for a {@link HandlerMiddleware}. All of them, and the handler, get the same object. */
export interface WrappedHandlerCall<C> extends CallContext {
  /**
   * The handler's input, checked and after the schema's transforms. A middleware may replace it;
   * the new value is not checked.
   */
  input: unknown
  /** The result of `authentication`. */
  readonly auth: SocketAuth
  /** The caller's socket. */
  readonly socket: ServerSocket
  /** Calls the caller's own operations. */
  readonly client: Calls<ClientOperations<C>>
}

/**
 * Runs around the handlers of a contract, the first outermost. `next()` runs the rest, the handler
 * last. It resolves with the answer, or rejects with the error. The returned value is the answer,
 * unless it is `undefined`. A thrown error refuses the call. A middleware that neither calls
 * `next()` nor returns an answer refuses with `forbidden`, and `false` counts as no answer.
 */
export type HandlerMiddleware<C> = {
  middleware(call: WrappedHandlerCall<C>, next: (refusal?: Error) => Promise<unknown>): unknown
}['middleware']

/** A step, without its contract. */
export type Step = (call: MiddlewareCall, next: (refusal?: Error) => Promise<unknown>) => unknown

/** Runs a handler. */
export type RunHandler = (input: unknown, call: MiddlewareCall) => unknown

/** Runs a handler inside steps. */
export function wrapHandler(steps: readonly Step[], handler: RunHandler): RunHandler {
  return (input, call) => {
    call.input = input
    return runFrom(0)

    async function runFrom(index: number): Promise<unknown> {
      const step = steps[index]
      if (!step) return handler(call.input, call)
      const rest = new Rest(() => runFrom(index + 1))
      const returned = await rest.around((next) => step(call, next))
      if (returned !== undefined && (rest.answer || returned !== false)) return returned
      if (rest.answer) return rest.answer
      throw withSubject(new RpcError('forbidden'), { function: call.name })
    }
  }
}

/** The part inside one step. */
class Rest {
  /** The result; `undefined` while `next()` has not been called. */
  answer: Promise<unknown> | undefined
  readonly #run: () => Promise<unknown>
  #fault: { readonly cause: unknown } | undefined
  #isOver = false

  constructor(run: () => Promise<unknown>) {
    this.#run = run
  }

  /** @throws what the step throws or passes to `next`; an error if it called `next()` twice */
  async around(step: (next: (refusal?: unknown) => Promise<unknown>) => unknown): Promise<unknown> {
    try {
      const returned = await step((refusal) => this.#next(refusal))
      if (this.#fault) throw this.#fault.cause
      return returned
    } finally {
      this.#isOver = true
    }
  }

  /** Code after a `next()` that ran nothing must not run: its promise rejects, or never settles. */
  #next(refusal: unknown): Promise<unknown> {
    if (this.#isOver) return new Promise(() => {})
    if (refusal !== undefined) this.#fault ??= { cause: refusal }
    else if (this.answer) this.#fault ??= { cause: new Error(TWICE) }
    if (this.#fault) return markHandled(Promise.reject(this.#fault.cause))
    this.answer = markHandled(this.#run())
    return this.answer
  }
}

const TWICE = 'A middleware called next() twice: the rest runs once'

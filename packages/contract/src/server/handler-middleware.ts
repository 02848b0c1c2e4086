import { type CallContext, markHandled, RpcError, withSubject } from '@token-socket/protocol'
import type { ServerSocket, SocketAuth } from '@token-socket/server'
import type { ClientOperations } from '../contract.js'
import type { Calls } from '../operation-types.js'
import type { MiddlewareCall } from './handler-call.js'

/**
 * A call, as a {@link HandlerMiddleware} sees it. All of them, and the handler, see the same call.
 */
export interface WrappedHandlerCall<C> extends CallContext {
  /**
   * What the handler gets: checked, and after the schema's transforms. A middleware may replace it;
   * that is not checked again.
   */
  input: unknown
  /** What `authentication` returned. */
  readonly auth: SocketAuth
  /** The caller's socket. */
  readonly socket: ServerSocket
  /** Calls the caller's own operations. */
  readonly client: Calls<ClientOperations<C>>
}

/**
 * Runs around the handlers of a contract, the first outermost. `next()` runs the rest, the handler
 * last, and resolves to its answer or rejects with why there is none. What is returned is the
 * answer, unless it is `undefined`. What is thrown refuses. Only `next()` or an answer allows: a
 * middleware that gives neither refuses with `forbidden`, and `false` alone is no answer.
 */
export type HandlerMiddleware<C> = {
  middleware(call: WrappedHandlerCall<C>, next: (refusal?: Error) => Promise<unknown>): unknown
}['middleware']

/** A step, without its contract. */
export type Step = (call: MiddlewareCall, next: (refusal?: Error) => Promise<unknown>) => unknown

/** Runs a handler. */
export type RunHandler = (input: unknown, call: MiddlewareCall) => unknown

/** Puts steps around a handler. */
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

/** What is inside of one step. */
class Rest {
  /** What came of it; `undefined` while `next()` has not been called. */
  answer: Promise<unknown> | undefined
  readonly #run: () => Promise<unknown>
  #fault: { readonly cause: unknown } | undefined
  #isOver = false

  constructor(run: () => Promise<unknown>) {
    this.#run = run
  }

  /** @throws what the step throws or gives to `next`; that it called `next()` twice */
  async around(step: (next: (refusal?: unknown) => Promise<unknown>) => unknown): Promise<unknown> {
    try {
      const returned = await step((refusal) => this.#next(refusal))
      if (this.#fault) throw this.#fault.cause
      return returned
    } finally {
      this.#isOver = true
    }
  }

  /**
   * What follows a `next()` that ran nothing must not run: its promise rejects, or never settles.
   */
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

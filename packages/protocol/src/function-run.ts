import type { RunningContext } from './call-context.js'
import { noteGiven, notePromise } from './call-hooks.js'
import type { Action } from './controller.js'
import { encodeError } from './errors.js'
import type { Outcome } from './messages.js'
import { forCaller } from './nested-failure.js'
import type { IncomingCall } from './rpc-listener.js'

/** A function that runs for a call. */
export interface FunctionRun {
  readonly call: IncomingCall
  readonly context: RunningContext | undefined
  /** Whether it answers by a promise. @default no */
  isPromise?: boolean
  /** The latest error that its callback was given. */
  given?: unknown
}

/**
 * Receives each answer of a function. Only the first one counts, but functions may answer more
 * often.
 */
export interface AnswerReceiver<Run> {
  /** @param isCalled whether it answered by its callback */
  answered(run: Run, outcome: Outcome, isCalled?: boolean): void
  /** The function threw, or its promise rejected. */
  threw(run: Run, cause: unknown): void
}

/**
 * Runs a function of the application. It answers by its callback; by what it returns, unless it
 * declares a callback and returns `undefined`; by the promise that it returns; or by what it
 * throws.
 */
export function runFunction<Run extends FunctionRun>(
  action: Action,
  run: Run,
  receiver: AnswerReceiver<Run>,
): void {
  const { before, after = [], name } = run.call
  const callback = (error?: unknown, data?: unknown) => {
    noteGiven(run, error)
    try {
      receiver.answered(run, error ? encodeError(forCaller(error, name)) : { data }, true)
    } catch (cause) {
      // Reading the error threw, maybe in a timer of the handler, where no caller could catch it.
      receiver.threw(run, cause)
    }
  }
  const answersByCallback = action.length > before.length
  try {
    const result = action(...before, callback, ...after, run.context)
    // A promise always answers: an async function that resolves with nothing has answered.
    if (isThenable(result)) {
      notePromise(run)
      result.then(
        (data) => receiver.answered(run, { data }),
        (cause) => receiver.threw(run, cause),
      )
    } else if (result !== undefined || !answersByCallback) receiver.answered(run, { data: result })
  } catch (cause) {
    receiver.threw(run, cause)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

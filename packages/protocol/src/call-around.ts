import type { CallEnd } from './call-context.js'
import { type EndedCall, isAbortError } from './call-hooks.js'
import type { Action } from './controller.js'
import { decodeError, RpcError } from './errors.js'
import { type AnswerReceiver, type FunctionRun, runFunction } from './function-run.js'
import type { Outcome } from './messages.js'
import { forCaller } from './nested-failure.js'
import type { AnswerForm, CallAround, IncomingCall, RpcListener } from './rpc-listener.js'

/** Receives the answers of calls, and reports of wrong answers. */
export interface CallReceiver<Run> extends AnswerReceiver<Run> {
  readonly listener: RpcListener
}

/** A running call. */
type Running = FunctionRun & EndedCall & { inner?: InnerFunction }

/** Runs a call: its function, or the middleware around it. */
export function runCall<Run extends Running>(action: Action, run: Run, receiver: CallReceiver<Run>): void {
  const { around } = run.call
  if (!around) return runFunction(action, run, receiver)
  const inner = new InnerFunction(run, receiver.listener)
  run.inner = inner
  begin(around, (before) => inner.start(action, before), run).then(
    (data) => receiver.answered(run, { data }),
    (cause) => {
      const outcome = inner.outcomeOf(cause)
      if (outcome) receiver.answered(run, outcome)
      else receiver.threw(run, cause)
    },
  )
}

async function begin(
  around: CallAround,
  run: (before: readonly unknown[]) => Promise<unknown>,
  { context }: FunctionRun,
): Promise<unknown> {
  return around.begin(run, context)
}

/**
 * A function inside middleware. Its first answer goes to the middleware. Later answers are reported
 * like those of any function.
 */
class InnerFunction implements AnswerReceiver<FunctionRun> {
  readonly #run: Running
  readonly #listener: RpcListener
  #settle: { resolve(data: unknown): void; reject(cause: unknown): void } | undefined
  /** The error that its callback was given: the rejection, and the error that the caller gets. */
  #given: { readonly rejection: unknown; readonly outcome: Outcome } | undefined
  #function: FunctionRun | undefined
  /** How the call had ended before the function answered first. */
  #end: CallEnd | undefined
  /** Whether the middleware has settled, after the call had ended. */
  #hasLeft = false

  constructor(run: Running, listener: RpcListener) {
    this.#run = run
    this.#listener = listener
  }

  get form(): AnswerForm {
    if (!this.#settle) return 'around'
    return this.#function?.isPromise ? 'promise' : 'callback'
  }

  /** Runs the function. Call it once. */
  start(action: Action, before: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      const call: IncomingCall = { ...this.#run.call, before }
      this.#function = { call, context: this.#run.context }
      runFunction(action, this.#function, this)
    })
  }

  /**
   * Returns what the caller gets of an error that the callback was given; `undefined` of any other
   * rejection.
   */
  outcomeOf(rejection: unknown): Outcome | undefined {
    return this.#given?.rejection === rejection ? this.#given?.outcome : undefined
  }

  answered(run: FunctionRun, outcome: Outcome, isCalled = false): void {
    const { given } = run
    const settle = this.#takeOut(outcome, isCalled)
    if (!settle) return
    if ('data' in outcome) return settle.resolve(outcome.data)
    const error = forCaller(given, this.#run.call.name)
    const rejection = RpcError.is(error) ? error : decodeError(outcome)
    this.#given = { rejection, outcome }
    settle.reject(rejection)
  }

  threw(_run: FunctionRun, cause: unknown): void {
    const { call } = this.#run
    const settle = this.#takeOut()
    // The failure of a nested call says nothing about this call.
    if (settle) settle.reject(forCaller(cause, call.name))
    else if (!RpcError.is(cause) && !(this.#end && isAbortError(cause)))
      this.#listener.threw(cause, call.name)
  }

  leave(): void {
    this.#hasLeft = true
    if (this.form === 'around') this.#listener.settled?.(this.#run.call)
  }

  /** Returns `undefined` if it has answered before. */
  #takeOut(outcome?: Outcome, isCalled = false) {
    const settle = this.#settle
    this.#settle = undefined
    const { call } = this.#run
    if (settle) this.#end = this.#run.end
    if (settle && !this.#end) return settle
    const isData = outcome !== undefined && 'data' in outcome
    if (isCalled || (this.#end && isData)) this.#listener.late?.(call, this.#end)
    if (this.#hasLeft) this.#listener.settled?.(call)
    return settle
  }
}

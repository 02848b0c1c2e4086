import { type CallEnd, type CancelReason, RunningContext } from './call-context.js'
import type { Action } from './controller.js'
import type { Timeouts } from './deadlines.js'
import {
  asRpcError,
  decodeError,
  encodeError,
  encodeThrown,
  type PlainError,
  plainRefusal,
  RpcError,
  type Subject,
  wireError,
} from './errors.js'
import { markHandled } from './mark-handled.js'
import type { Outcome } from './messages.js'
import { callFailure, forCaller } from './nested-failure.js'
import { type CallOptions, PendingCalls } from './pending-calls.js'

/** Limits of an {@link RpcPeer}. */
export interface RpcLimits {
  /** Milliseconds until a call fails with `timeout`, both those that we make and those that we answer. */
  readonly timeout: number
  /** How many of our calls may wait for an answer at once; a function is asked for each. */
  readonly callsOut: number | (() => number)
  /** How many of the peer's calls may run here at once. */
  readonly callsIn: number
  /** Of how many bytes those may be together; a single one may have more. @default no bound */
  readonly callBytes?: number
}

/** A call that came from the peer. */
export interface IncomingCall {
  /** The function that it names; `undefined` is answered `not_found`. */
  readonly action: Action | undefined
  /** By which {@link RpcPeer.cancel} finds it. @default it cannot be cancelled */
  readonly id?: string
  /** The function's name, for errors about it and for its {@link CallContext}. @default none, and no context */
  readonly name?: string
  /** The function's arguments before its callback. */
  readonly before: readonly unknown[]
  /** The function's arguments between its callback and its {@link CallContext}. */
  readonly after?: readonly unknown[]
  /** How much it counts of `callBytes`. @default 0 */
  readonly bytes?: number
  /** Milliseconds until it is answered with `timeout`; 0 for never. @default the limit of that name */
  readonly timeout?: number | undefined
  /** Sends the answer. Called exactly once, unless the call is cancelled or the peer is closed first. */
  answer(outcome: Outcome): void
}

/** How a function answers: by its promise, or by its callback. */
export type AnswerForm = 'promise' | 'callback'

/** Receives what happens to the calls of an {@link RpcPeer}. */
export interface RpcListener {
  /** A handler threw. @param name the function's, if its call had one */
  threw(cause: unknown, name: string | undefined): void
  /** Why a call does not run, although the peer's own limits allow it. @default it runs */
  refuse?(call: IncomingCall): PlainError | undefined
  /** A call was cancelled or has timed out, and its function has not answered yet. */
  unanswered?(call: IncomingCall, end: CallEnd, form: AnswerForm): void
  /** The function of a call that had ended is done now: it answered, or threw. */
  settled?(call: IncomingCall): void
  /** A function answered again, or after its call had ended. @param end how it had ended; `undefined` by an answer */
  late?(call: IncomingCall, end: CallEnd | undefined): void
  /** Our request was aborted, or has timed out. */
  cancel?(id: string, why: CancelReason): void
}

/** A call whose function runs. */
interface RunningCall {
  readonly call: IncomingCall
  readonly key: unknown
  readonly context: RunningContext | undefined
  form: AnswerForm
  /** Its time-out, if it has one. */
  expire: (() => void) | undefined
  /** How it ended before an answer. */
  end: CallEnd | undefined
}

/**
 * One end of the two-way RPC: our calls and their answers, the other side's calls and ours. It knows neither the
 * frames nor the connection; its owner sends what it says.
 */
export class RpcPeer {
  readonly #calls: PendingCalls
  /** The calls that are not answered yet, by their ids. */
  readonly #running = new Map<unknown, RunningCall>()
  /** Of those calls. */
  #bytes = 0
  readonly #timeouts: Timeouts
  readonly #limits: RpcLimits
  readonly #listener: RpcListener

  /**
   * @param listener receives what handlers throw: the caller receives `internal` only
   * @param timeouts may be shared with other peers
   */
  constructor(limits: RpcLimits, listener: RpcListener, timeouts: Timeouts) {
    this.#limits = limits
    this.#listener = listener
    this.#timeouts = timeouts
    const { timeout, callsOut: calls } = limits
    this.#calls = new PendingCalls({ timeout, calls }, timeouts, (...request) =>
      listener.cancel?.(...request),
    )
  }

  /**
   * Makes a request and promises its answer.
   * @param send gets the request's id and sends it; what it throws, the promise rejects with
   * @param name of the function that it calls, if it calls one
   */
  request(send: (id: string) => void, options?: CallOptions, name?: string): Promise<unknown> {
    return markHandled(this.#request(send, options, name))
  }

  /** Whether a request still waits for its answer. */
  isPending(id: string): boolean {
    return this.#calls.has(id)
  }

  /** An answer to one of our requests came. Ignored if that request has settled or never was. */
  settle(id: string, outcome: Outcome): void {
    if ('data' in outcome) this.#calls.resolve(id, outcome.data)
    else this.#calls.reject(id, decodeError(outcome))
  }

  /** A call came: runs its function and answers exactly once, whatever the function does. */
  receive(call: IncomingCall): void {
    if (!call.action) return call.answer(wireError('not_found', subjectOf(call)))
    const refused = this.#refuse(call)
    if (refused) return call.answer(encodeError(refused))
    const { name, id, bytes = 0, timeout = this.#limits.timeout } = call
    const running: RunningCall = {
      call,
      // Of two calls with one id, the second cannot be cancelled.
      key: id === undefined || this.#running.has(id) ? call : id,
      context: name === undefined ? undefined : new RunningContext(name, timeout),
      form: 'callback',
      expire: undefined,
      end: undefined,
    }
    this.#running.set(running.key, running)
    this.#bytes += bytes
    this.#run(running, call.action)
    if (!this.#isRunning(running)) return
    running.expire = () => {
      this.#end(running, 'timeout')
      this.#deliver(call, wireError('timeout', subjectOf(call)))
    }
    this.#timeouts.set(running.expire, timeout)
  }

  /** The peer gave a call up: its signal aborts, and it is not answered. Ignored if it is over or never was. */
  cancel(id: string, why: CancelReason = 'aborted'): void {
    const running = this.#running.get(id)
    if (running) this.#end(running, why)
  }

  /**
   * The connection is gone: no call that runs here is answered any more, and our requests fail.
   * @param which picks the requests that fail; all of them if left out
   */
  disconnect(error: RpcError, which?: (id: string) => boolean): void {
    for (const running of [...this.#running.values()]) {
      this.#takeOut(running)
      endContext(running, 'connection_lost')
    }
    this.#calls.rejectAll(error, which)
  }

  #request(send: (id: string) => void, options?: CallOptions, name?: string): Promise<unknown> {
    try {
      const { id, answer } = this.#calls.open(options, name)
      try {
        send(id)
      } catch (error) {
        this.#calls.reject(id, asRpcError(error))
      }
      return answer
    } catch (refused) {
      return Promise.reject(callFailure(asRpcError(refused), name))
    }
  }

  #refuse(call: IncomingCall): PlainError | undefined {
    const { callsIn: limit, callBytes } = this.#limits
    const { bytes = 0 } = call
    if (this.#running.size >= limit) return plainRefusal('too_many_calls', { field: 'calls', limit })
    if (callBytes && this.#bytes && this.#bytes + bytes > callBytes)
      return plainRefusal('too_many_calls', { field: 'callBytes', limit: callBytes })
    return this.#listener.refuse?.(call)
  }

  #run(running: RunningCall, action: Action): void {
    const { before, after = [] } = running.call
    const { context } = running
    const callback = (error?: unknown, data?: unknown) => {
      let outcome: Outcome
      try {
        outcome = error ? encodeError(forCaller(error, running.call.name)) : { data }
      } catch (cause) {
        // Reading the error threw, maybe on a timer of the handler's own, where no caller could catch it.
        return this.#threw(running, cause)
      }
      if (!this.#answer(running, outcome)) this.#listener.late?.(running.call, running.end)
    }
    const answersByCallback = action.length > before.length
    try {
      const result = context
        ? action(...before, callback, ...after, context)
        : action(...before, callback, ...after)
      // A promise always answers: an async function that returns nothing has nothing more to say.
      if (isThenable(result)) this.#await(running, result)
      else if (result !== undefined || !answersByCallback) this.#answer(running, { data: result })
    } catch (cause) {
      this.#threw(running, cause)
    }
  }

  #await(running: RunningCall, result: PromiseLike<unknown>): void {
    running.form = 'promise'
    result.then(
      (data) => {
        // What an async function resolves after it has called back is no second answer.
        if (!this.#answer(running, { data }) && running.end) this.#listener.late?.(running.call, running.end)
      },
      (cause) => this.#threw(running, cause),
    )
  }

  #isRunning(running: RunningCall): boolean {
    return this.#running.get(running.key) === running
  }

  /** @returns false if it was over already */
  #takeOut(running: RunningCall): boolean {
    if (!this.#isRunning(running)) return false
    this.#running.delete(running.key)
    this.#bytes -= running.call.bytes ?? 0
    if (running.expire) this.#timeouts.delete(running.expire)
    return true
  }

  #end(running: RunningCall, end: CallEnd): void {
    this.#takeOut(running)
    endContext(running, end)
    this.#listener.unanswered?.(running.call, end, running.form)
  }

  /** @returns false if the call was over already */
  #answer(running: RunningCall, outcome: Outcome): boolean {
    const isFirst = this.#takeOut(running)
    if (isFirst) this.#deliver(running.call, outcome)
    else this.#listener.settled?.(running.call)
    return isFirst
  }

  /** Answers first: whatever the listener does then, the caller does not wait. */
  #threw(running: RunningCall, cause: unknown): void {
    this.#answer(running, encodeThrown(forCaller(cause, running.call.name)))
    if (!RpcError.is(cause) && !(running.end && isAbortError(cause)))
      this.#listener.threw(cause, running.call.name)
  }

  #deliver(call: IncomingCall, outcome: Outcome): void {
    try {
      call.answer(outcome)
    } catch (cause) {
      // The outcome cannot be encoded, as when it is circular; an error without data always can.
      call.answer(encodeThrown(RpcError.is(cause) ? new RpcError(cause.code) : cause))
      this.#listener.threw(cause, call.name)
    }
  }
}

function endContext(running: RunningCall, end: CallEnd): void {
  running.end = end
  if (running.context) RunningContext.abort(running.context, end)
}

/** What the platform's own functions reject with when their signal is aborted. */
function isAbortError(cause: unknown): boolean {
  return (cause as { readonly name?: unknown } | null | undefined)?.name === 'AbortError'
}

function subjectOf({ name }: IncomingCall): Subject | undefined {
  return name === undefined ? undefined : { function: name }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

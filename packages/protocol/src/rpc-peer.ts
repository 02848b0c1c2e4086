import { runCall } from './call-around.js'
import { type CallEnd, RunningContext } from './call-context.js'
import {
  addLoad,
  answeredLate,
  type CallLoad,
  isAbortError,
  newLoad,
  refusalOf,
  removeLoad,
  unanswered,
} from './call-hooks.js'
import type { CallOptions } from './call-options.js'
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
import type { FunctionRun } from './function-run.js'
import { markHandled } from './mark-handled.js'
import type { Outcome } from './messages.js'
import { callFailure, forCaller } from './nested-failure.js'
import { PendingCalls } from './pending-calls.js'
import type { IncomingCall, RpcListener } from './rpc-listener.js'
import type { Timeouts } from './timeout-scheduler.js'

/** Limits of an {@link RpcPeer}. */
export interface RpcLimits {
  /** Milliseconds until a call fails with `timeout`, both those that we make and those that we answer. */
  readonly timeout: number
  /** How many of our calls may wait for an answer at once; read for each. */
  readonly callsOut: number
  /** How many of the peer's calls may run here at once. */
  readonly callsIn: number
  /** Of how many bytes those may be together; a single one may have more. @default no bound */
  readonly callBytes?: number
}

/** A call whose function runs. */
interface RunningCall extends FunctionRun {
  readonly key: unknown
  isOver: boolean
  /** Its time-out, if it has one. */
  timedOut: (() => void) | undefined
  end: CallEnd | undefined
}

/**
 * One end of the two-way RPC: our calls and their answers, the other side's calls and ours. It knows neither the
 * frames nor the connection; its owner sends what it says.
 */
export class RpcPeer {
  /** Made with the first of our requests. */
  #calls: PendingCalls | undefined
  /** The calls that are not answered yet, by their ids. */
  readonly #running = new Map<unknown, RunningCall>()
  /** Of those calls. */
  readonly #load: CallLoad
  readonly #timeouts: Timeouts
  readonly #limits: RpcLimits
  /** @internal */
  readonly listener: RpcListener

  /**
   * @param listener receives what handlers throw: the caller receives `internal` only
   * @param timeouts may be shared with other peers
   */
  constructor(limits: RpcLimits, listener: RpcListener, timeouts: Timeouts) {
    this.#limits = limits
    this.listener = listener
    this.#timeouts = timeouts
    this.#load = newLoad(limits.callBytes)
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
    return !!this.#calls?.has(id)
  }

  /** An answer to one of our requests came. Ignored if that request has settled or never was. */
  settle(id: string, outcome: Outcome): void {
    if ('data' in outcome) this.#calls?.resolve(id, outcome.data)
    else this.#calls?.reject(id, decodeError(outcome))
  }

  /** A call came: runs its function and answers exactly once, whatever the function does. */
  receive(call: IncomingCall): void {
    if (!call.action) return call.answer(wireError('not_found', subjectOf(call)))
    const refused = this.#refuse(call)
    if (refused) return call.answer(encodeError(refused))
    const { name, id = call, timeout = this.#limits.timeout } = call
    const running: RunningCall = {
      call,
      // Of two calls with one id, the second cannot be cancelled.
      key: this.#running.has(id) ? call : id,
      context: name ? new RunningContext(name, timeout) : undefined,
      isOver: false,
      timedOut: undefined,
      end: undefined,
    }
    this.#running.set(running.key, running)
    addLoad(this.#load, call)
    try {
      runCall(call.action, running, this)
    } finally {
      // Also where running it threw: the caller gets its answer by then.
      if (!running.isOver) this.#arm(running, timeout)
    }
  }

  #arm(running: RunningCall, timeout: number): void {
    const { call } = running
    running.timedOut = () => {
      this.#end(running, 'timeout')
      this.#deliver(call, wireError('timeout', subjectOf(call)))
    }
    this.#timeouts.set(running.timedOut, timeout)
  }

  /** The peer gave a call up: its signal aborts, and it is not answered. Ignored if it is over or never was. */
  cancel(id: string, why: CallEnd): void {
    const running = this.#running.get(id)
    if (running) this.#end(running, why)
  }

  /**
   * The connection is gone: no call that runs here is answered any more, and our requests fail.
   * @param which picks the requests that fail; all of them if left out
   */
  disconnect(error: RpcError, which?: (id: string) => boolean): void {
    for (const running of [...this.#running.values()]) this.#end(running, 'connection_lost')
    this.#calls?.rejectAll(error, which)
    this.#timeouts.disarmIfEmpty()
  }

  #request(send: (id: string) => void, options?: CallOptions, name?: string): Promise<unknown> {
    this.#calls ??= new PendingCalls(this.#limits, this.#timeouts, this.listener)
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
    const { callsIn: limit } = this.#limits
    if (this.#running.size >= limit) return plainRefusal('too_many_calls', { field: 'calls', limit })
    return refusalOf(this.listener, call, this.#load)
  }

  /** @returns false if it was over already */
  #takeOut(running: RunningCall): boolean {
    if (running.isOver) return false
    running.isOver = true
    this.#running.delete(running.key)
    removeLoad(this.#load, running.call)
    if (running.timedOut) this.#timeouts.delete(running.timedOut)
    return true
  }

  #end(running: RunningCall, end: CallEnd): void {
    this.#takeOut(running)
    running.end = end
    // First: a function may answer as soon as its signal aborts.
    unanswered(this.listener, running)
    if (running.context) RunningContext.abort(running.context, end)
  }

  /** A function has answered. @internal */
  answered(running: RunningCall, outcome: Outcome, isCalled = false): void {
    if (this.#takeOut(running)) this.#deliver(running.call, outcome)
    else answeredLate(this.listener, running, { outcome, isCalled })
  }

  /**
   * A function has failed. Answers first: the caller does not wait for the listener.
   * @internal
   */
  threw(running: RunningCall, cause: unknown): void {
    const { call, end } = running
    this.answered(running, encodeThrown(forCaller(cause, call.name)))
    if (!RpcError.is(cause) && !(end && isAbortError(cause))) this.listener.threw(cause, call.name)
  }

  #deliver(call: IncomingCall, outcome: Outcome): void {
    try {
      call.answer(outcome)
    } catch (cause) {
      // The outcome cannot be encoded, as when it is circular; an error without data always can.
      call.answer(encodeThrown(RpcError.is(cause) ? new RpcError(cause.code) : cause))
      this.listener.threw(cause, call.name)
    }
  }
}

function subjectOf({ name }: IncomingCall): Subject | undefined {
  return name === undefined ? undefined : { function: name }
}

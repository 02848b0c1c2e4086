import type { Action } from './controller.js'
import type { Timeouts } from './deadlines.js'
import {
  asRpcError,
  decodeError,
  encodeError,
  encodeThrown,
  plainRefusal,
  RpcError,
  type Subject,
  wireError,
} from './errors.js'
import { markHandled } from './mark-handled.js'
import type { Outcome } from './messages.js'
import { type CallOptions, PendingCalls } from './pending-calls.js'

/** What an {@link RpcPeer} allows. */
export interface RpcLimits {
  /** Milliseconds until a call fails with `timeout`, both those that we make and those that we answer. */
  readonly timeout: number
  /** How many of our calls may wait for an answer at once; a function is asked for each. */
  readonly callsOut: number | (() => number)
  /** How many of the other side's calls may run here at once. */
  readonly callsIn: number
  /** Of how many bytes those may be together; a single one may have more. @default no bound */
  readonly callBytes?: number
}

/** A call that came from the other side. */
export interface IncomingCall {
  /** The function that it names; `undefined` is answered `not_found`. */
  readonly action: Action | undefined
  /** The function's name, for errors about it. @default none */
  readonly name?: string
  /** The function's arguments before its callback. */
  readonly before: readonly unknown[]
  /** The function's arguments after its callback. */
  readonly after?: readonly unknown[]
  /** How much it counts of `callBytes`. @default 0 */
  readonly bytes?: number
  /** Sends the answer. Called exactly once, unless the peer is closed first. */
  answer(outcome: Outcome): void
}

/** Receives what a handler threw. @param name the function's, if its call had one */
export type RpcFailureListener = (cause: unknown, name: string | undefined) => void

/**
 * One end of the two-way RPC: our calls and their answers, the other side's calls and ours. It knows neither the
 * frames nor the connection; its owner sends what it says.
 */
export class RpcPeer {
  readonly #calls: PendingCalls
  /** The time-outs of the calls that are not answered yet. */
  readonly #incoming = new Set<() => void>()
  /** Of those calls. */
  #bytes = 0
  readonly #timeouts: Timeouts
  readonly #limits: RpcLimits
  readonly #onerror: RpcFailureListener

  /**
   * @param onerror receives what handlers throw: the caller receives `internal` only
   * @param timeouts may be shared with other peers
   */
  constructor(limits: RpcLimits, onerror: RpcFailureListener, timeouts: Timeouts) {
    this.#limits = limits
    this.#onerror = onerror
    this.#timeouts = timeouts
    this.#calls = new PendingCalls({ timeout: limits.timeout, calls: limits.callsOut }, timeouts)
  }

  /**
   * Makes a request and promises its answer.
   * @param send gets the request's id and sends it; what it throws, the promise rejects with
   */
  request(send: (id: string) => void, options?: CallOptions): Promise<unknown> {
    return markHandled(this.#request(send, options))
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
    const { callsIn: limit, callBytes, timeout } = this.#limits
    const { bytes = 0 } = call
    if (!call.action) return call.answer(wireError('not_found', subjectOf(call)))
    if (this.#incoming.size >= limit)
      return call.answer(encodeError(plainRefusal('too_many_calls', { field: 'calls', limit })))
    if (callBytes && this.#bytes && this.#bytes + bytes > callBytes)
      return call.answer(
        encodeError(plainRefusal('too_many_calls', { field: 'callBytes', limit: callBytes })),
      )
    const expire = () => answer(wireError('timeout', subjectOf(call)))
    const answer = (outcome: Outcome) => {
      if (!this.#incoming.delete(expire)) return
      this.#bytes -= bytes
      this.#timeouts.delete(expire)
      this.#deliver(call, outcome)
    }
    this.#incoming.add(expire)
    this.#bytes += bytes
    this.#run(call, call.action, answer)
    if (this.#incoming.has(expire)) this.#timeouts.set(expire, timeout)
  }

  /**
   * The connection is gone: no call that runs here is answered any more, and our requests fail.
   * @param which picks the requests that fail; all of them if left out
   */
  disconnect(error: RpcError, which?: (id: string) => boolean): void {
    for (const expire of this.#incoming) this.#timeouts.delete(expire)
    this.#incoming.clear()
    this.#bytes = 0
    this.#calls.rejectAll(error, which)
  }

  #request(send: (id: string) => void, options?: CallOptions): Promise<unknown> {
    try {
      const { id, answer } = this.#calls.open(options)
      try {
        send(id)
      } catch (error) {
        this.#calls.reject(id, asRpcError(error))
      }
      return answer
    } catch (refused) {
      return Promise.reject(refused)
    }
  }

  #run({ before, after = [], name }: IncomingCall, action: Action, answer: (outcome: Outcome) => void): void {
    // Answers first: whatever `onerror` does then, the caller does not wait.
    const threw = (cause: unknown) => {
      answer(encodeThrown(cause))
      if (!RpcError.is(cause)) this.#onerror(cause, name)
    }
    const callback = (error?: unknown, data?: unknown) => {
      let outcome: Outcome
      try {
        outcome = error ? encodeError(error) : { data }
      } catch (cause) {
        // Reading the error threw, maybe on a timer of the handler's own, where no caller could catch it.
        return threw(cause)
      }
      answer(outcome)
    }
    const answersByCallback = action.length > before.length
    try {
      const result = action(...before, callback, ...after)
      // A promise always answers: an async function that returns nothing has nothing more to say.
      if (isThenable(result)) result.then((data) => answer({ data }), threw)
      else if (result !== undefined || !answersByCallback) answer({ data: result })
    } catch (cause) {
      threw(cause)
    }
  }

  #deliver(call: IncomingCall, outcome: Outcome): void {
    try {
      call.answer(outcome)
    } catch (cause) {
      // The outcome cannot be encoded, as when it is circular; an error without data always can.
      call.answer(encodeThrown(RpcError.is(cause) ? new RpcError(cause.code) : cause))
      this.#onerror(cause, call.name)
    }
  }
}

function subjectOf({ name }: IncomingCall): Subject | undefined {
  return name === undefined ? undefined : { function: name }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

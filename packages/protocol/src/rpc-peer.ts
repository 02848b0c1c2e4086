import type { Action } from './controller.js'
import type { Timeouts } from './deadlines.js'
import { decodeError, encodeError, encodeThrown, RpcError, refusal } from './errors.js'
import type { Outcome } from './messages.js'
import { type CallOptions, PendingCalls } from './pending-calls.js'

/** What an {@link RpcPeer} allows. */
export interface RpcLimits {
  /** Milliseconds until a call fails with `timeout`, both those that we make and those that we answer. */
  readonly timeout: number
  /** How many of our calls may wait for an answer at once. */
  readonly callsOut: number
  /** How many of the other side's calls may run here at once. */
  readonly callsIn: number
}

/** A call that came from the other side. */
export interface IncomingCall {
  /** The function that it names; `undefined` is answered `not_found`. */
  readonly action: Action | undefined
  /** The function's arguments before its callback. */
  readonly before: readonly unknown[]
  /** The function's arguments after its callback. */
  readonly after?: readonly unknown[]
  /** Sends the answer. Called exactly once, unless the peer is closed first. */
  answer(outcome: Outcome): void
}

/** A call that is not answered yet. */
interface Running {
  readonly call: IncomingCall
  /** Its time-out, once it has not answered at once. */
  expire: (() => void) | undefined
}

/**
 * One end of the two-way RPC: our calls and their answers, the other side's calls and ours. It knows neither the
 * frames nor the connection; its owner sends what it says.
 */
export class RpcPeer {
  readonly #calls: PendingCalls
  readonly #incoming = new Set<Running>()
  readonly #timeouts: Timeouts
  readonly #limits: RpcLimits
  readonly #onerror: (cause: unknown) => void

  /**
   * @param onerror hears what handlers throw: the caller is told `internal` only
   * @param timeouts may be shared with other peers
   */
  constructor(limits: RpcLimits, onerror: (cause: unknown) => void, timeouts: Timeouts) {
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
    try {
      const { id, answer } = this.#calls.open(options)
      this.#send(send, id)
      // A promise that nobody looks at must not end a Node process.
      answer.catch(() => {})
      return answer
    } catch (error) {
      const refused = Promise.reject(error)
      refused.catch(() => {})
      return refused
    }
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
    if (!call.action) {
      call.answer(encodeError(new RpcError('not_found')))
      return
    }
    if (this.#incoming.size >= this.#limits.callsIn) {
      const refused = refusal('too_many_calls', { field: 'calls', limit: this.#limits.callsIn })
      call.answer(encodeError(refused))
      return
    }
    const running: Running = { call, expire: undefined }
    this.#incoming.add(running)
    this.#run(running, call.action)
    if (this.#incoming.has(running)) this.#limitTime(running)
  }

  /**
   * The connection is gone: no call that runs here is answered any more, and our requests fail.
   * @param which picks the requests that fail; all of them if left out
   */
  disconnect(error: RpcError, which?: (id: string) => boolean): void {
    for (const { expire } of this.#incoming) if (expire) this.#timeouts.delete(expire)
    this.#incoming.clear()
    this.#calls.rejectAll(error, which)
  }

  #send(send: (id: string) => void, id: string): void {
    try {
      send(id)
    } catch (error) {
      this.#calls.reject(
        id,
        RpcError.is(error) ? error : new RpcError('internal', undefined, undefined, error),
      )
    }
  }

  #limitTime(running: Running): void {
    running.expire = () => this.#answer(running, encodeError(new RpcError('timeout')))
    this.#timeouts.set(running.expire, this.#limits.timeout)
  }

  #run(running: Running, action: Action): void {
    const { call } = running
    const threw = (cause: unknown) => this.#fail(running, cause)
    const callback = (error?: unknown, data?: unknown) => {
      if (error) this.#refuse(running, error)
      else this.#answer(running, { data })
    }
    const answersByCallback = action.length > call.before.length
    const returned = (data: unknown) => {
      if (data !== undefined || !answersByCallback) this.#answer(running, { data })
    }
    try {
      const result = action(...call.before, callback, ...(call.after ?? []))
      if (isThenable(result)) result.then(returned, threw)
      else returned(result)
    } catch (cause) {
      threw(cause)
    }
  }

  #refuse(running: Running, error: unknown): void {
    let outcome: Outcome
    try {
      outcome = encodeError(error)
    } catch (cause) {
      // Reading the error threw, maybe on a timer of the handler's own, where nobody would catch it.
      this.#fail(running, cause)
      return
    }
    this.#answer(running, outcome)
  }

  /** Answers first: whatever `onerror` does then, the caller does not wait. */
  #fail(running: Running, cause: unknown): void {
    this.#answer(running, encodeThrown(cause))
    if (!RpcError.is(cause)) this.#onerror(cause)
  }

  #answer(running: Running, outcome: Outcome): void {
    if (!this.#incoming.delete(running)) return
    if (running.expire) this.#timeouts.delete(running.expire)
    this.#deliver(running.call, outcome)
  }

  #deliver(call: IncomingCall, outcome: Outcome): void {
    try {
      call.answer(outcome)
    } catch (cause) {
      // The outcome cannot be encoded, as when it is circular; an error without data always can.
      call.answer(encodeThrown(RpcError.is(cause) ? new RpcError(cause.code) : cause))
      this.#onerror(cause)
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

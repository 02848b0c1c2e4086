import type { CallEnd } from './call-context.js'
import { type PlainError, plainRefusal } from './errors.js'
import type { Outcome } from './messages.js'
import { readForeign } from './read-foreign.js'
import type { AnswerForm, IncomingCall, RpcListener } from './rpc-listener.js'

/** A call, as its hooks see it. */
export interface EndedCall {
  readonly call: IncomingCall
  /** How it ended before an answer; `undefined` if it was answered. */
  readonly end: CallEnd | undefined
  /** Whether its function answers by a promise. */
  isPromise?: boolean
  /** Its function, if middleware runs around it. */
  readonly inner?: {
    /** How it answers; `around` before the function runs. */
    readonly form: AnswerForm
    /** The middleware around it has answered or failed. */
    leave(): void
  }
}

/** The bytes of all running calls of a peer. */
export interface CallLoad {
  bytes: number
  /** `callBytes` of its limits; 0 for none. */
  readonly limit: number
}

/** The load of a peer without running calls. */
export function newLoad(limit = 0): CallLoad {
  return { bytes: 0, limit }
}

/** Adds a running call. */
export function addLoad(load: CallLoad, { bytes = 0 }: IncomingCall): void {
  load.bytes += bytes
}

/** The reverse of {@link addLoad}. */
export function removeLoad(load: CallLoad, { bytes = 0 }: IncomingCall): void {
  load.bytes -= bytes
}

/**
 * Why a call is refused although the peer has room for another one: its bytes, or the listener's
 * decision.
 */
export function refusalOf(listener: RpcListener, call: IncomingCall, load: CallLoad): PlainError | undefined {
  const { limit } = load
  if (limit && load.bytes && load.bytes + (call.bytes ?? 0) > limit)
    return plainRefusal('too_many_calls', { field: 'callBytes', limit })
  return listener.refuse?.(call)
}

/** The function of a call has returned a promise. */
export function notePromise(running: { isPromise?: boolean }): void {
  running.isPromise = true
}

/** The callback of a function was given an error. */
export function noteGiven(running: { given?: unknown }, error: unknown): void {
  running.given = error
}

/** A call was cancelled or has timed out, and its function has not answered. */
export function unanswered(listener: RpcListener, { call, end, isPromise, inner }: EndedCall): void {
  if (!end) return
  const form = inner ? inner.form : isPromise ? 'promise' : 'callback'
  listener.unanswered?.(call, end, form)
  call.around?.ended(end, form)
}

/**
 * A function answers a call that has ended.
 * @param isCalled whether by its callback
 */
export function answeredLate(
  listener: RpcListener,
  { call, end, inner }: EndedCall,
  { outcome, isCalled }: { readonly outcome: Outcome; readonly isCalled: boolean },
): void {
  if (inner) return inner.leave()
  listener.settled?.(call)
  // After its callback, what an async function resolves or throws is no second answer.
  if (isCalled || (end && 'data' in outcome)) listener.late?.(call, end)
}

/**
 * Whether a value is the rejection of a platform function whose signal was aborted. Never throws.
 */
export function isAbortError(cause: unknown): boolean {
  return readForeign(() => (cause as { readonly name?: unknown } | null | undefined)?.name) === 'AbortError'
}

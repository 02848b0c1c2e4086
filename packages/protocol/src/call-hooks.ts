import type { CallEnd } from './call-context.js'
import type { PlainError } from './errors.js'
import type { Outcome } from './messages.js'
import type { IncomingCall, RpcListener } from './rpc-listener.js'

/** A call that ran, as its hooks see it. */
export interface EndedCall {
  readonly call: IncomingCall
  /** How it ended before an answer; `undefined` by an answer. */
  readonly end: CallEnd | undefined
  /** Whether its function answers by a promise. */
  isPromise?: boolean
}

/** Why a call does not run, although the peer's own limits allow it. */
export function refusalOf(listener: RpcListener, call: IncomingCall): PlainError | undefined {
  return listener.refuse?.(call)
}

/** The function of a call returned a promise. */
export function notePromise(running: EndedCall): void {
  running.isPromise = true
}

/** A call was cancelled or has timed out, and its function has not answered. */
export function unanswered(listener: RpcListener, { call, end, isPromise }: EndedCall): void {
  if (end) listener.unanswered?.(call, end, isPromise ? 'promise' : 'callback')
}

/**
 * A function answers a call that is over.
 * @param isCalled whether by its callback
 */
export function answeredLate(
  listener: RpcListener,
  { call, end }: EndedCall,
  { outcome, isCalled }: { readonly outcome: Outcome; readonly isCalled: boolean },
): void {
  listener.settled?.(call)
  // What an async function resolves after it has called back is no second answer; what it throws is none either.
  if (isCalled || (end && 'data' in outcome)) listener.late?.(call, end)
}

/** Whether it is what the platform's own functions reject with when their signal is aborted. */
export function isAbortError(cause: unknown): boolean {
  return (cause as { readonly name?: unknown } | null | undefined)?.name === 'AbortError'
}

import type { CallContext, CallEnd, CancelReason } from './call-context.js'
import type { Action } from './controller.js'
import type { PlainError } from './errors.js'
import type { Outcome } from './messages.js'

/**
 * Runs around the function of a call. What it resolves to, or rejects with, is the answer of the call; the function's own
 * answer is what it got of `run`.
 */
export interface CallAround {
  /**
   * Begins.
   * @param run runs the function, with its arguments before the callback. It resolves to the function's first answer, or
   *   rejects with what it threw, or with an RpcError that says what its callback was given
   */
  begin(
    run: (before: readonly unknown[]) => Promise<unknown>,
    context: CallContext | undefined,
  ): Promise<unknown>
  /** The call ended before it was answered. @param form how the function that runs answers */
  ended(end: CallEnd, form: AnswerForm): void
}

/** A call that came from the peer. */
export interface IncomingCall {
  /** The function that it names; `undefined` is answered `not_found`. */
  readonly action: Action | undefined
  /** By which {@link RpcPeer.cancel} finds it. @default it cannot be cancelled */
  readonly id?: string | undefined
  /** The function's name, for errors about it and for its {@link CallContext}. @default none, and no context */
  readonly name?: string
  /** The function's arguments before its callback. */
  readonly before: readonly unknown[]
  /** The function's arguments between its callback and its {@link CallContext}. */
  readonly after?: readonly unknown[]
  /** How much it counts of `callBytes`. @default 0 */
  readonly bytes?: number
  /** What runs around the function. @default nothing */
  readonly around?: CallAround | undefined
  /** Milliseconds until it is answered with `timeout`; 0 for never. @default the limit of that name */
  readonly timeout?: number | undefined
  /** Milliseconds that the caller asked for, for the listener. @default it asked for none */
  readonly asked?: number | undefined
  /** Sends the answer. Called exactly once, unless the call is cancelled or the peer is closed first. */
  answer(outcome: Outcome): void
}

/** What answers a call: a function by its promise or by its callback, or what runs around it. */
export type AnswerForm = 'promise' | 'callback' | 'around'

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
  /** Why our request, which has timed out, was not answered, if more is known. */
  unsentCause?(id: string): unknown
  /** Our request was aborted, or has timed out. */
  cancel?(id: string, why: CancelReason): void
}

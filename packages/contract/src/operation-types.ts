import type { CallOptions, RpcError } from '@token-socket/protocol'
import type { ErrorsOf, ProcedureMark, ReceivedOutput, SentInput, SentOutput } from './procedure.js'
import type { Received, Sent } from './schema.js'

/** An error that an operation declares: it narrows by `code`, and its `data` is typed. */
export type DeclaredError<E> = {
  [Code in keyof E & string]: RpcError & { readonly code: Code; readonly data: Received<E[Code]> }
}[keyof E & string]

/** The answer of an operation. `safe` gives its declared errors, typed. */
export interface Answer<Output, Errors> extends Promise<Output> {
  readonly '~errors'?: Errors
}

/**
 * What calling an operation resolves to: the answer; nothing, when it is sent, for a one-way
 * message.
 */
export type Result<P> = ReceivedOutput<P>

/**
 * A function that calls an operation of the other end. A one-way message takes no options: it does
 * not wait for an answer.
 */
export type Call<P> = CallWith<
  SentInput<P>,
  IsOneWay<P> extends true ? [] : [options?: CallOptions],
  Answer<ReceivedOutput<P>, DeclaredError<ErrorsOf<P>>>
>

/** An input that may be `undefined` may be left out. */
type CallWith<Input, Options extends readonly unknown[], Output> = undefined extends Input
  ? (input?: Input, ...options: Options) => Output
  : (input: Input, ...options: Options) => Output

/** A tree of functions that call the operations of the other end. */
export type Calls<T> = {
  readonly [K in keyof T]: T[K] extends ProcedureMark ? Call<T[K]> : Calls<T[K]>
}

/** Makes an operation's declared errors, to be thrown: `throw errors.sold_out({ left: 0 })`. */
export type ErrorFactories<P> = {
  readonly [Code in keyof ErrorsOf<P>]: (
    ...data: undefined extends Sent<ErrorsOf<P>[Code]>
      ? [data?: Sent<ErrorsOf<P>[Code]>, message?: string]
      : [data: Sent<ErrorsOf<P>[Code]>, message?: string]
  ) => RpcError
}

/** What a function of an operation returns: what travels, before the output's transforms. */
export type Returned<P> = SentOutput<P>

/**
 * Whether an operation has no answer. (Of the operation itself, so that it is the same without
 * `strictNullChecks`.)
 */
export type IsOneWay<P> = P extends {
  readonly '~procedure': { readonly output: { readonly '~standard': unknown } }
}
  ? false
  : true

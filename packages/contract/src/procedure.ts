import { RpcError } from '@token-socket/protocol'
import { checkProcedure } from './procedure-checks.js'
import type { Gives, Schema, Sends } from './schema.js'

/** The errors that an operation may answer with: for each code the schema of its `data`. */
export interface ErrorSchemas {
  readonly [code: string]: Schema
}

/** The input, output and errors of an operation. */
export interface ProcedureDefinition {
  /** The schema of the caller's data. @default no input */
  readonly input?: Schema | undefined
  /**
   * The schema of the answer. Without it the operation is a one-way message: it is not answered.
   */
  readonly output?: Schema | undefined
  /**
   * The errors that the function may throw, by code, each with the schema of its `data`. A one-way
   * message has none, because its sender waits for no answer. @default {}
   */
  readonly errors?: ErrorSchemas | undefined
}

/** The compiler's error for `errors` without an `output`. */
export type WithoutAnswer<D> = D extends { readonly errors: ErrorSchemas }
  ? 'output' extends keyof D
    ? unknown
    : { readonly errors: 'errors need an output: a one-way message is not answered' }
  : unknown

/** An operation of a contract. Made by {@link procedure}. */
export interface Procedure<D extends ProcedureDefinition = ProcedureDefinition> {
  readonly '~procedure': D
}

/**
 * The mark by which an operation differs from a branch: cheaper to compare than {@link Procedure}.
 */
export interface ProcedureMark {
  readonly '~procedure': unknown
}

/** The schema of an operation's input, or `undefined`. */
export type InputSchema<P> = P extends { readonly '~procedure': { readonly input: infer S } } ? S : undefined

/** The schemas of an operation's errors, by code. */
export type ErrorsOf<P> = P extends { readonly '~procedure': { readonly errors: infer E } }
  ? E
  : Record<never, Schema>

/** What a caller passes to an operation; `undefined` without an input. */
export type SentInput<P> = P extends { readonly '~procedure': { readonly input: Sends<infer Input> } }
  ? Input
  : undefined

/** The input of an operation's function; `undefined` without an input. */
export type ReceivedInput<P> = P extends { readonly '~procedure': { readonly input: Gives<infer Input> } }
  ? Input
  : undefined

/**
 * The return value of an operation's function: the value that is sent, before the output's
 * transforms. Anything for a one-way message.
 */
export type SentOutput<P> = P extends { readonly '~procedure': { readonly output: Sends<infer Output> } }
  ? Output
  : unknown

/**
 * The result for a caller, after the output's transforms; `undefined` for a one-way message, when
 * it is sent.
 */
export type ReceivedOutput<P> = P extends { readonly '~procedure': { readonly output: Gives<infer Output> } }
  ? Output
  : undefined

/**
 * An operation. Without `output` it is a one-way message.
 *
 * @throws RpcError `bad_option`, which names the field, for what is no schema, and for an error
 *   code that is taken; not in builds for production
 * @example
 * const buy = procedure({
 *   input: z.object({ item: z.string() }),
 *   output: z.object({ order: z.number() }),
 *   errors: { sold_out: z.object({ left: z.number() }) },
 * })
 */
export function procedure<const D extends ProcedureDefinition>(
  definition: D & WithoutAnswer<D> = {} as D & WithoutAnswer<D>,
): Procedure<D> {
  try {
    // Bundlers replace the expression by its value, and leave the checks out of builds for
    // production.
    if (process.env.NODE_ENV !== 'production') checkProcedure(definition)
  } catch (error) {
    // A page that loads unbundled modules has no `process`.
    if (RpcError.is(error)) throw error
  }
  return Object.freeze({ '~procedure': definition })
}

/** Returns whether a value was created by {@link procedure}. */
export function isProcedure(value: unknown): value is Procedure {
  return Object.hasOwn(Object(value), '~procedure')
}

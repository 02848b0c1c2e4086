import { badOption, ERRORS } from '@token-socket/protocol'
import { isSchema, type Schema } from './schema.js'

/** The errors that an operation may answer with: for each code the schema of its `data`. */
export interface ErrorSchemas {
  readonly [code: string]: Schema
}

/** What an operation takes and gives. */
export interface ProcedureDefinition {
  /** What the caller passes. @default nothing */
  readonly input?: Schema | undefined
  /** What the answer is. Without it the operation is a one-way message: it is not answered. */
  readonly output?: Schema | undefined
  /** The errors that the function may throw, by code, each with the schema of its `data`. @default {} */
  readonly errors?: ErrorSchemas | undefined
}

/** An operation of a contract. Made by {@link procedure}. */
export interface Procedure<D extends ProcedureDefinition = ProcedureDefinition> {
  readonly '~procedure': D
}

/** The schema of an operation's input, or `undefined`. */
export type InputSchema<P> = P extends Procedure<infer D> ? Field<D, 'input'> : undefined

/** The schema of an operation's output, or `undefined`. */
export type OutputSchema<P> = P extends Procedure<infer D> ? Field<D, 'output'> : undefined

/** The schemas of an operation's errors, by code. */
export type ErrorsOf<P> =
  P extends Procedure<infer D>
    ? D extends { readonly errors: infer E }
      ? E
      : Record<never, Schema>
    : Record<never, Schema>

type Field<D, Name extends string> = D extends { readonly [key in Name]: infer S } ? S : undefined

const FIELDS = ['input', 'output', 'errors']

/**
 * An operation. Without `output` it is a one-way message.
 *
 * @throws RpcError `bad_option`, which names the field, for what is no schema, and for an error code that is taken
 * @example
 * const buy = procedure({
 *   input: z.object({ item: z.string() }),
 *   output: z.object({ order: z.number() }),
 *   errors: { sold_out: z.object({ left: z.number() }) },
 * })
 */
export function procedure<const D extends ProcedureDefinition>(definition: D = {} as D): Procedure<D> {
  for (const field of Object.keys(definition)) {
    if (!FIELDS.includes(field)) throw badOption(field, `one of ${FIELDS.join(', ')}`)
  }
  const { input, output, errors = {} } = definition
  for (const [field, schema] of Object.entries({ input, output })) {
    if (schema !== undefined && !isSchema(schema)) throw badOption(field, 'a schema')
  }
  for (const [code, schema] of Object.entries(errors)) {
    if (!/^[A-Za-z]\w*$/.test(code) || code in ERRORS)
      throw badOption(`errors.${code}`, 'a code of letters, digits and _ that is not one of the library')
    if (!isSchema(schema)) throw badOption(`errors.${code}`, 'a schema')
  }
  return Object.freeze({ '~procedure': definition })
}

/** Whether a value was made by {@link procedure}. */
export function isProcedure(value: unknown): value is Procedure {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '~procedure')
}

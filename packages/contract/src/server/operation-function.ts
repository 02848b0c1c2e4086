import { type CallContext, forCaller, KEEPS_UNDEFINED, RpcError } from '@token-socket/protocol'
import type { AnswerCallback, Handler, RemoteClient } from '@token-socket/server'
import type { Operation } from '../operations.js'
import type { ErrorSchemas } from '../procedure.js'
import type { Schema } from '../schema.js'
import { checked, type Issue, invalid, type Validation, validate } from '../validation.js'
import { type CalledOperation, type Errors, HandlerCall, MiddlewareCall } from './handler-call.js'
import { type RunHandler, type Step, wrapHandler } from './handler-middleware.js'

/** What the functions of a contract have in common. */
export interface OperationSettings extends Pick<CalledOperation, 'clientOf'> {
  /** Whether answers and the data of errors are checked before they are sent. */
  readonly checkSent: boolean
  readonly middleware: readonly Step[]
}

/** The parts of an operation that its function uses for each call. */
interface Parts {
  readonly called: CalledOperation
  /** What the handler gets of the data that came: the data, or nothing. */
  readonly take: (data: unknown) => unknown
  /** The schemas that have to be asked. */
  readonly input: Schema | undefined
  readonly output: Schema | undefined
  readonly errors: ErrorSchemas
  readonly isOneWay: boolean
  readonly Call: typeof HandlerCall
  readonly run: RunHandler
}

/** A call as the server gives it. */
interface Given {
  readonly data: unknown
  readonly callback: AnswerCallback
  readonly socket: RemoteClient
  readonly call: CallContext
}

/**
 * The function of a server's controller that runs an operation's handler. A function that declares a callback would not be
 * answered by `undefined`: so its parameters have defaults, which `length` does not count.
 */
export function operationFunction(
  operation: Operation,
  handler: RunHandler,
  settings: OperationSettings,
): Handler {
  const { input, output, errors = {} } = operation.procedure['~procedure']
  const { checkSent, middleware, clientOf } = settings
  const parts: Parts = {
    called: { name: operation.name, errors: factoriesOf(errors), clientOf },
    take: input ? (data) => data : () => undefined,
    input: checked(input),
    output: checkSent ? checked(output) : undefined,
    errors: checkSent ? checkedOf(errors) : {},
    isOneWay: output === undefined,
    Call: middleware.length > 0 ? MiddlewareCall : HandlerCall,
    run: middleware.length > 0 ? wrapHandler(middleware, handler) : handler,
  }
  const asksNothing = !parts.input && !parts.output && Object.keys(parts.errors).length === 0
  const made = asksNothing && !parts.isOneWay ? plainFunction(parts) : checkingFunction(parts)
  return Object.defineProperty(made, KEEPS_UNDEFINED, { value: true })
}

/** Asks no schema, and adds no promise. */
function plainFunction({ called, take, Call, run }: Parts): Handler {
  return (_auth, data, _callback = NONE, socket = NONE, call = NONE) =>
    run(take(data), new Call(called, socket, call) as MiddlewareCall)
}

function checkingFunction(parts: Parts): Handler {
  return (_auth, data, callback = NONE, socket = NONE, call = NONE) =>
    runChecked(parts, { data: parts.take(data), callback, socket, call })
}

/** Runs the handler at once, unless the input's schema answers later. */
async function runChecked(parts: Parts, { data, callback, socket, call }: Given): Promise<unknown> {
  const { called, input, isOneWay, Call, run } = parts
  const asked = input ? validate(input, data) : { value: data }
  const { issues, value } = (asked instanceof Promise ? await whileCalled(asked, call) : asked) as Read
  if (issues) {
    const error = invalid('invalid_input', { function: called.name }, issues)
    return isOneWay ? refuseMessage(error, callback) : Promise.reject(error)
  }
  try {
    const answer = await run(value, new Call(called, socket, call) as MiddlewareCall)
    return isOneWay ? undefined : await checkAnswer(parts, answer)
  } catch (cause) {
    throw await checkError(parts, cause)
  }
}

/** What a schema says later is of use only while the caller waits: a handler does not run for a call that has ended. */
async function whileCalled(asked: Promise<Validation>, call: CallContext): Promise<Validation> {
  const validation = await asked
  if (call.signal.aborted) throw call.signal.reason
  return validation
}

/**
 * No caller waits for what becomes of a one-way message. The sender gets the error by the callback; what is thrown after that is
 * the `error` event of this server.
 */
function refuseMessage(error: RpcError, callback: AnswerCallback): never {
  callback(error)
  throw new Error(error.message, { cause: error })
}

/** @returns the answer as it is: transforms are the receiver's */
async function checkAnswer({ output, called }: Parts, answer: unknown): Promise<unknown> {
  const issues = output && (await validate(output, answer)).issues
  if (issues) throw wrongAnswer(invalid('invalid_output', { function: called.name }, issues))
  return answer
}

/** @returns the error as it is; another one, which the caller gets as `internal`, if its data is not what it declares */
async function checkError({ errors, called: { name } }: Parts, cause: unknown): Promise<unknown> {
  // The failure of a call that the handler made is no error of its own, whatever its code is.
  if (!RpcError.is(cause) || !Object.hasOwn(errors, cause.code) || forCaller(cause, name) !== cause)
    return cause
  const { issues } = await validate(errors[cause.code] as Schema, cause.data)
  return issues ? wrongAnswer(invalid('invalid_output', { function: name }, issues)) : cause
}

/** It is no RpcError: the caller gets `internal`, and the `error` event has it. */
function wrongAnswer(cause: RpcError): Error {
  return new Error(cause.message, { cause })
}

function factoriesOf(errors: ErrorSchemas): Errors {
  const make = (code: string) => (data?: unknown, message?: string) => new RpcError(code, message, data)
  return Object.fromEntries(Object.keys(errors).map((code) => [code, make(code)]))
}

function checkedOf(errors: ErrorSchemas): ErrorSchemas {
  return Object.fromEntries(Object.entries(errors).filter(([, schema]) => checked(schema)))
}

type Read = { readonly value: unknown; readonly issues?: readonly Issue[] }

/** Stands for what the server always gives. */
const NONE = undefined as never

import { type CallContext, KEEPS_UNDEFINED, type RpcError } from '@token-socket/protocol'
import type { Handler, ServerSocket } from '@token-socket/server'
import { reportFailure } from '#server-functions'
import { next } from '../checked-value.js'
import { errorsOf, isDeclared } from '../declared-errors.js'
import { same } from '../message-order.js'
import type { Operation } from '../operations.js'
import type { ErrorSchemas } from '../procedure.js'
import type { Schema } from '../schema.js'
import { checked, type Issue, invalid, type Validation, validate } from '../validation.js'
import { type CalledOperation, HandlerCall, MiddlewareCall } from './handler-call.js'
import { type RunHandler, type Step, wrapHandler } from './handler-middleware.js'
import { sendingOrder } from './sending-order.js'
import { refuseParts } from './value-size.js'

/** The settings of all functions of a contract. */
export interface OperationSettings extends Pick<CalledOperation, 'clientOf'> {
  /** Whether answers and the data of errors are checked before they are sent. */
  readonly checkSent: boolean
  /**
   * Whether messages of handlers to clients may wait for a check: then their answers keep the
   * order.
   */
  readonly sendsChecked: boolean
  /** How many parts an input may have. */
  readonly maxParts: number
  readonly middleware: readonly Step[]
}

/** The parts of an operation that its function uses for each call. */
interface Parts {
  readonly called: CalledOperation
  /** Returns the handler's data for received data: the same, or nothing. */
  readonly take: (data: unknown) => unknown
  /** The schemas that check something. */
  readonly input: Schema | undefined
  readonly maxParts: number
  readonly output: Schema | undefined
  readonly errors: ErrorSchemas
  /** Whether the handler's answer or error is checked, or may have to wait. */
  readonly checksAnswers: boolean
  readonly isOneWay: boolean
  readonly Call: typeof HandlerCall
  readonly run: RunHandler
}

/** The arguments of a call from the server. */
interface Given {
  readonly data: unknown
  readonly socket: ServerSocket
  readonly call: CallContext
}

/**
 * The function of a server's controller that runs an operation's handler. A function that declares
 * a callback would not be answered by `undefined`: so its parameters have defaults, which `length`
 * does not count.
 */
export function operationFunction(
  operation: Operation,
  handler: RunHandler,
  settings: OperationSettings,
): Handler {
  const { input, output, errors = {} } = operation.procedure['~procedure']
  const { checkSent, sendsChecked, maxParts, middleware, clientOf } = settings
  const answers = checkSent ? checked(output) : undefined
  const checkedErrors = checkSent ? checkedOf(errors) : {}
  const parts: Parts = {
    called: { name: operation.name, errors: errorsOf(errors), clientOf },
    take: input ? (data) => data : () => undefined,
    input: checked(input),
    maxParts,
    output: answers,
    errors: checkedErrors,
    checksAnswers: sendsChecked || answers !== undefined || Object.keys(checkedErrors).length > 0,
    isOneWay: output === undefined,
    Call: middleware.length > 0 ? MiddlewareCall : HandlerCall,
    run: middleware.length > 0 ? wrapHandler(middleware, handler) : handler,
  }
  const isPlain = !parts.input && !parts.checksAnswers && !parts.isOneWay
  const made = isPlain ? plainFunction(parts) : checkingFunction(parts)
  return Object.defineProperty(made, KEEPS_UNDEFINED, { value: true })
}

/** Asks no schema, and adds no promise. */
function plainFunction({ called, take, Call, run }: Parts): Handler {
  return (_auth, data, _callback = NONE, socket = NONE, call = NONE) =>
    run(take(data), new Call(called, socket, call) as MiddlewareCall)
}

function checkingFunction(parts: Parts): Handler {
  return (_auth, data, _callback = NONE, socket = NONE, call = NONE) =>
    receive(parts, { data: parts.take(data), socket, call })
}

/** Runs the handler at once, unless the input's schema answers later. */
function receive(parts: Parts, given: Given): unknown {
  const { input, maxParts } = parts
  if (!input) return carryOut(parts, given, given.data)
  const asked = refuseParts(given.data, maxParts) ?? validate(input, given.data)
  if (!(asked instanceof Promise)) return take(parts, given, asked as Read)
  return whileCalled(asked, given.call).then((validation) => take(parts, given, validation as Read))
}

/**
 * The sender of a one-way message waits for no answer, so a wrong message also causes this server's
 * `error` event.
 */
function take(parts: Parts, given: Given, { issues, value }: Read): unknown {
  if (!issues) return carryOut(parts, given, value)
  const { name } = parts.called
  const error = invalid('invalid_input', { function: name }, issues)
  if (parts.isOneWay) reportFailure(given.socket, error, { function: name, step: 'input' })
  throw error
}

function carryOut(parts: Parts, { socket, call }: Given, value: unknown): unknown {
  const { called, isOneWay, checksAnswers, Call, run } = parts
  const own = new Call(called, socket, call) as MiddlewareCall
  if (checksAnswers) return carryOutChecked(parts, value, own)
  const answer = run(value, own)
  return isOneWay ? dropped(answer) : answer
}

async function carryOutChecked(parts: Parts, value: unknown, call: MiddlewareCall): Promise<unknown> {
  const order = sendingOrder(call.socket)
  try {
    const answer = await parts.run(value, call)
    return parts.isOneWay ? undefined : await order(checkAnswer(parts, answer), same)
  } catch (cause) {
    // A thrown object may have a `then`, and must not be awaited.
    throw (await order(wrongError(parts, cause), same)) ?? cause
  }
}

/** A one-way message has no answer. It is done when its handler is done. */
function dropped(answer: unknown): unknown {
  return isThenable(answer) ? Promise.resolve(answer).then(() => undefined) : undefined
}

/**
 * A late result of a schema is only used while the caller waits: a handler does not run for a call
 * that has ended.
 */
async function whileCalled(asked: Promise<Validation>, call: CallContext): Promise<Validation> {
  const validation = await asked
  if (call.signal.aborted) throw call.signal.reason
  return validation
}

/** @returns the answer as it is, because the receiver applies the transforms */
function checkAnswer({ output, called }: Parts, answer: unknown): unknown {
  if (!output) return answer
  return next(validate(output, answer), ({ issues }) => {
    if (issues) throw wrongAnswer(invalid('invalid_output', { function: called.name }, issues))
    return answer
  })
}

/**
 * @returns the error that the caller receives as `internal`, if an error's data does not match its
 *   declaration
 */
function wrongError(
  { errors, called: { name } }: Parts,
  cause: unknown,
): Error | undefined | Promise<Error | undefined> {
  if (!isDeclared(cause, errors, name)) return undefined
  return next(validate(errors[cause.code] as Schema, cause.data), ({ issues }) =>
    issues ? wrongAnswer(invalid('invalid_output', { function: name }, issues)) : undefined,
  )
}

/** It is no RpcError: the caller receives `internal`, and the `error` event has the cause. */
function wrongAnswer(cause: RpcError): Error {
  return new Error(cause.message, { cause })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function'
}

function checkedOf(errors: ErrorSchemas): ErrorSchemas {
  return Object.fromEntries(Object.entries(errors).filter(([, schema]) => checked(schema)))
}

type Read = { readonly value: unknown; readonly issues?: readonly Issue[] }

/** Stands for a value that the server always passes. */
const NONE = undefined as never

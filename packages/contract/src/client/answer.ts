import { type CallContext, throwIfAborted } from '@token-socket/protocol'
import { checker } from '../checked-value.js'
import { errorsOf, isDeclared } from '../declared-errors.js'
import { same } from '../message-order.js'
import type { ProcedureDefinition } from '../procedure.js'
import type { Schema } from '../schema.js'
import type { ContractSettings } from './settings.js'

/** A function of the application that answers an operation. */
export type OperationFunction = (input: unknown, context: object) => unknown

/** A call of the server, and its function. */
export interface AnsweredCall extends ProcedureDefinition {
  readonly run: OperationFunction
  readonly data: unknown
  readonly call: CallContext
  /** Calls the listeners with the input. */
  emit(input: unknown): void
}

/**
 * The answer to a call of the server. What the function returns travels, not what the output's
 * schema makes of it.
 *
 * @throws RpcError `invalid_input`, or what the function throws; Error for an answer, or an error's
 *   data, that its schema refuses: it becomes `internal` to the server
 */
export async function answerOf(
  { input, output, errors = {}, run, data, call, emit }: AnsweredCall,
  { checkSent, timeout, sent, received }: ContractSettings,
): Promise<unknown> {
  const subject = { function: call.name }
  const check = checker(subject, { timeout })
  // Once the server has cancelled the call, nothing waits for its input.
  const checkInput = checker(subject, { timeout, signal: call.signal })
  const checkAnswer = async (schema: Schema | undefined, value: unknown) => {
    try {
      await check(schema, value, 'invalid_output')
    } catch (cause) {
      throw new Error(`The answer to ${call.name} is not what its contract says`, { cause })
    }
  }
  return received(checkInput(input, input && data), async (taken) => {
    // The call may have been held, and a schema may have taken long: a function does not run for a
    // call that has ended.
    throwIfAborted(call.signal)
    emit(taken)
    try {
      const answer = await run(taken, Object.assign(call, { errors: errorsOf(errors) }))
      return await sent<unknown, unknown>(checkSent && checkAnswer(output, answer), () => answer)
    } catch (error) {
      const isOwn = checkSent && isDeclared(error, errors, call.name)
      await sent<unknown, unknown>(isOwn && checkAnswer(errors[error.code], error.data), same)
      throw error
    }
  })
}

import { type CallContext, RpcError } from '@token-socket/protocol'
import { checker } from '../checked-value.js'
import { same } from '../message-order.js'
import type { ProcedureDefinition } from '../procedure.js'
import type { Schema } from '../schema.js'
import type { ContractSettings } from './settings.js'

/** A function of the application that answers an operation. */
export type OperationFunction = (input: unknown, context: object) => unknown

/** A call of the server, and what answers it. */
export interface AnsweredCall extends ProcedureDefinition {
  readonly run: OperationFunction
  readonly data: unknown
  readonly call: CallContext
  /** Hears the input. */
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
  const check = checker({ function: call.name }, { timeout })
  const checkAnswer = async (schema: Schema | undefined, value: unknown) => {
    try {
      await check(schema, value, 'invalid_output')
    } catch (cause) {
      throw new Error(`The answer to ${call.name} is not what its contract says`, { cause })
    }
  }
  const makeError = (code: string) => [
    code,
    (data?: unknown, message?: string) => new RpcError(code, message, data),
  ]
  return received(check(input, input && data), async (taken) => {
    emit(taken)
    try {
      const own = { errors: Object.fromEntries(Object.keys(errors).map(makeError)) }
      const answer = await run(taken, Object.assign(call, own))
      return await sent<unknown, unknown>(checkSent && checkAnswer(output, answer), () => answer)
    } catch (error) {
      const isDeclared = RpcError.is(error) && Object.hasOwn(errors, error.code)
      await sent<unknown, unknown>(
        checkSent && isDeclared && checkAnswer(errors[error.code], error.data),
        same,
      )
      throw error
    }
  })
}

import { type CallContext, RpcError } from '@token-socket/protocol'
import { checkedValue } from '../checked-value.js'
import type { Operation } from '../operations.js'
import type { Schema } from '../schema.js'
import type { ContractSettings } from './settings.js'

/** A function of the application that answers an operation. */
export type OperationFunction = (input: unknown, context: object) => unknown

/** A call of the server, and what answers it. */
export interface AnsweredCall extends Operation {
  readonly run: OperationFunction
  readonly data: unknown
  readonly call: CallContext
  /** Hears the input. */
  tell(input: unknown): void
}

/**
 * The answer to a call of the server. What the function returns travels, not what the output's schema makes of it.
 *
 * @throws RpcError `invalid_input`, or what the function throws; Error for an answer, or an error's data, that its schema
 *   refuses: it becomes `internal` to the server
 */
export async function answerOf(
  { name, procedure, run, data, call, tell }: AnsweredCall,
  { checkSent, callTimeout: timeout }: ContractSettings,
): Promise<unknown> {
  const { input, output, errors = {} } = procedure['~procedure']
  const subject = { function: name }
  const checkAnswer = async (schema: Schema | undefined, value: unknown) => {
    try {
      if (checkSent) await checkedValue({ schema, value, code: 'invalid_output', subject }, { timeout })
    } catch (cause) {
      throw new Error(`The answer to ${name} is not what its contract says`, { cause })
    }
  }
  const value =
    input && checkedValue({ schema: input, value: data, code: 'invalid_input', subject }, { timeout })
  const taken = await value
  tell(taken)
  try {
    const answer = await run(taken, contextOf(call, errors))
    await checkAnswer(output, answer)
    return answer
  } catch (error) {
    if (RpcError.is(error) && Object.hasOwn(errors, error.code))
      await checkAnswer(errors[error.code], error.data)
    throw error
  }
}

function contextOf(call: CallContext, errors: object): object {
  const make = (code: string) => [
    code,
    (data?: unknown, message?: string) => new RpcError(code, message, data),
  ]
  return {
    name: call.name,
    deadline: call.deadline,
    // Made when it is read.
    get signal() {
      return call.signal
    },
    errors: Object.fromEntries(Object.keys(errors).map(make)),
  }
}

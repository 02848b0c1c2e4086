import { asRpcError, type CallOptions, callFailure, markHandled, RpcError } from '@token-socket/protocol'
import { checkedValue } from '../checked-value.js'
import { isOneWay, type Operation } from '../operations.js'
import type { Schema } from '../schema.js'
import type { MessageOrder } from './message-order.js'
import type { ContractSettings } from './settings.js'

/** A function that calls an operation of the server. */
export type OutgoingCall = (input?: unknown, options?: CallOptions) => Promise<unknown>

/**
 * Makes the function that calls an operation. A promise of it that no one awaits is never an unhandled rejection.
 *
 * @param order keeps the order of the calls
 */
export function outgoingCall(
  operation: Operation,
  settings: ContractSettings,
  order: MessageOrder,
): OutgoingCall {
  const { name, procedure } = operation
  const { socket, checkSent, callTimeout, fail } = settings
  const { input: schema, output, errors = {} } = procedure['~procedure']
  const subject = { function: name }

  /** It runs up to the sending at once, so that messages leave in the order of the calls. */
  async function run(given: unknown, options: CallOptions): Promise<unknown> {
    const check = (schema: Schema | undefined, value: unknown, code: 'invalid_input' | 'invalid_output') =>
      checkedValue({ schema, value, code, subject }, { ...options, timeout: options.timeout ?? callTimeout })
    const input = schema && given
    const isRight = checkSent && check(schema, input, 'invalid_input')
    let answer: unknown
    try {
      answer = await order(isRight, () =>
        output ? socket.rpc(name, input, options) : socket.notify(name, input),
      )
    } catch (error) {
      const { code, message, data } = asRpcError(error)
      if (!Object.hasOwn(errors, code)) throw error
      const own = await check(errors[code], data, 'invalid_output')
      throw own === data ? error : new RpcError(code, message, own, error)
    }
    return output && check(output, answer, 'invalid_output')
  }

  return (input, options = {}) => {
    const answer = run(input, options).catch((cause: unknown) => {
      const error = callFailure(asRpcError(cause), name)
      if (isOneWay(operation)) fail(error)
      throw error
    })
    return markHandled(answer)
  }
}

import { asRpcError, type CallOptions, callFailure, markHandled, RpcError } from '@token-socket/protocol'
import { checker } from '../checked-value.js'
import type { ProcedureDefinition } from '../procedure.js'
import type { MessageOrder } from './message-order.js'
import type { ContractSettings } from './settings.js'

/** A function that calls an operation of the server. */
export type OutgoingCall = (input?: unknown, options?: CallOptions) => Promise<unknown>

/** An operation that is called. */
export interface CalledOperation extends ProcedureDefinition {
  readonly name: string
}

/**
 * Makes the function that calls an operation. A promise of it that no one awaits is never an unhandled rejection.
 *
 * @param order keeps the order of the calls
 */
export function outgoingCall(
  { name, input, output, errors = {} }: CalledOperation,
  { socket, checkSent, timeout, fail }: ContractSettings,
  order: MessageOrder,
): OutgoingCall {
  /** It runs up to the sending at once, so that messages leave in the order of the calls. */
  async function run(given: unknown, options: CallOptions): Promise<unknown> {
    const check = checker({ function: name }, { ...options, timeout: options.timeout ?? timeout })
    const value = input && given
    const send = () => (output ? socket.rpc(name, value, options) : socket.notify(name, value))
    try {
      return check(output, await order(checkSent && check(input, value), send), 'invalid_output')
    } catch (error) {
      const { code, message, data } = asRpcError(error)
      if (!Object.hasOwn(errors, code)) throw error
      const own = await check(errors[code], data, 'invalid_output')
      throw own === data ? error : new RpcError(code, message, own, error)
    }
  }

  return (given, options = {}) => {
    const answer = run(given, options).catch((cause: unknown) => {
      const error = callFailure(asRpcError(cause), name)
      if (!output) fail(error)
      throw error
    })
    return markHandled(answer)
  }
}

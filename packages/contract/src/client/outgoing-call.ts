import {
  asRpcError,
  badOption,
  type CallOptions,
  callFailure,
  checkCallOptions,
  markHandled,
  RpcError,
} from '@token-socket/protocol'
import { timeFromNow } from '../call-time.js'
import { checker, inTime } from '../checked-value.js'
import { same } from '../message-order.js'
import type { ProcedureDefinition } from '../procedure.js'
import type { ContractSettings } from './settings.js'

/** A function that calls an operation of the server. */
export type OutgoingCall = (input?: unknown, options?: CallOptions) => Promise<unknown>

/** An operation that is called. */
export interface CalledOperation extends ProcedureDefinition {
  readonly name: string
}

/**
 * Makes the function that calls an operation. A promise of it that no one awaits is never an
 * unhandled rejection.
 *
 * Its time-out and its signal count from the call, whatever it waits for.
 */
export function outgoingCall(
  { name, input, output, errors = {} }: CalledOperation,
  { socket, checkSent, timeout: callTimeout, sent, received, fail }: ContractSettings,
): OutgoingCall {
  /** It runs up to the sending at once, so that messages leave in the order of the calls. */
  async function run(given: unknown, options: CallOptions): Promise<unknown> {
    if (!options) throw badOption('options', 'an object')
    const { timeout = callTimeout, signal } = output ? options : {}
    if (output) checkCallOptions(options, timeout)
    const subject = { function: name }
    const time = timeFromNow({ timeout, signal })
    const check = checker(subject, time)
    const bound = <W>(work: Promise<W>) => inTime(work, time, subject)
    const value = input && given
    const send = () => (output ? socket.rpc(name, value, { ...time }) : socket.notify(name, value))
    try {
      const answer = await sent(checkSent && check(input, value), send, bound)
      return output && received(check(output, answer, 'invalid_output'), same, bound)
    } catch (error) {
      const { code, message, data } = asRpcError(error)
      // Those that arise at this end wait for nothing.
      if (/^(timeout|aborted)$/.test(code)) throw error
      const schema = Object.hasOwn(errors, code) ? errors[code] : undefined
      const own = await received(check(schema, data, 'invalid_output'), same, bound)
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

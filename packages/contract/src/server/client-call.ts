import { asRpcError, type CallOptions, callFailure, markHandled, RpcError } from '@token-socket/protocol'
import { checkedValue } from '../checked-value.js'
import type { Operation } from '../operations.js'
import type { Schema } from '../schema.js'
import type { CallTarget } from './call-target.js'

/** Calls one operation of a client. */
export type ClientCall = (target: CallTarget, input?: unknown, options?: CallOptions) => Promise<unknown>

/** Milliseconds that a schema may take where the call names no time-out. */
const TIMEOUT = 30_000

/**
 * A function that calls an operation of a client. Its promise may be left alone: what it rejects with is then no
 * `unhandledRejection`.
 * @param checkSent whether inputs are checked before they are sent
 */
export function clientCall({ name, procedure }: Operation, checkSent: boolean): ClientCall {
  const { input, output, errors = {} } = procedure['~procedure']

  function check(schema: Schema | undefined, value: unknown, { code, options }: Checked): unknown {
    const { timeout = TIMEOUT, signal } = options ?? {}
    return checkedValue({ schema, value, code, subject: { function: name } }, { timeout, signal })
  }

  async function run(target: CallTarget, given: unknown, options?: CallOptions): Promise<unknown> {
    const value = input && given
    // A call whose schema answers at once goes out at once, before whatever is sent next.
    const asked = checkSent && checkInput(target, value, options)
    if (asked instanceof Promise) await asked
    if (!output) return void (await target.notify(name, value))
    const answer = await target.rpc(name, value, options).catch((error) => declared(error, options))
    return check(output, answer, { code: 'invalid_output', options })
  }

  /** The sender of a one-way message often leaves its promise alone: what is not sent is reported. */
  function checkInput(target: CallTarget, value: unknown, options: CallOptions | undefined): unknown {
    const refuse = (cause: unknown): never => {
      if (!output) target.failed(cause, { function: name, step: 'notification' })
      throw cause
    }
    try {
      const asked = check(input, value, { code: 'invalid_input', options })
      return asked instanceof Promise ? asked.catch(refuse) : asked
    } catch (cause) {
      return refuse(cause)
    }
  }

  /** @throws the error, with the data that its schema makes of it */
  async function declared(error: unknown, options: CallOptions | undefined): Promise<never> {
    if (!RpcError.is(error) || !Object.hasOwn(errors, error.code)) throw error
    const data = await check(errors[error.code], error.data, { code: 'invalid_output', options })
    throw data === error.data ? error : new RpcError(error.code, error.message, data, error)
  }

  return (target, given, options) =>
    markHandled(
      run(target, given, options).catch((cause) => {
        throw callFailure(asRpcError(cause), name)
      }),
    )
}

/** How a value is checked. */
interface Checked {
  readonly code: 'invalid_input' | 'invalid_output'
  readonly options: CallOptions | undefined
}

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
import { type Check, checker, inTime, type ValidationTime } from '../checked-value.js'
import type { Operation } from '../operations.js'
import type { Schema } from '../schema.js'
import { checked, invalid } from '../validation.js'
import type { CallTarget } from './call-target.js'
import { refuseParts } from './value-size.js'

/** Settings of all calls of clients. */
export interface ClientCallSettings {
  /** Whether inputs are checked before they are sent. */
  readonly checkSent: boolean
  /** How many parts an answer may have. */
  readonly maxParts: number
}

/** Calls one operation of a client. */
export type ClientCall = (target: CallTarget, input?: unknown, options?: CallOptions) => Promise<unknown>

/**
 * Returns a function that calls an operation of a client. If its promise is ignored, a rejection
 * causes no `unhandledRejection`.
 */
export function clientCall(operation: Operation, settings: ClientCallSettings): ClientCall {
  const called = new CalledOperation(operation, settings)
  return (target, input, options) =>
    markHandled(
      called.run(target, input, options).catch((cause) => {
        throw callFailure(asRpcError(cause), operation.name)
      }),
    )
}

/** An operation of a client that is called. */
class CalledOperation {
  readonly #operation: Operation
  readonly #settings: ClientCallSettings

  constructor(operation: Operation, settings: ClientCallSettings) {
    this.#operation = operation
    this.#settings = settings
  }

  /**
   * Its time-out counts from the call, whatever it waits for. Without one, the sending has the
   * server's own.
   *
   * @param options not those of a one-way message, which waits for no answer
   */
  async run(target: CallTarget, given: unknown, options?: CallOptions): Promise<unknown> {
    const { name, procedure } = this.#operation
    const { input, output } = procedure['~procedure']
    const own = output ? options : undefined
    if (own !== undefined) checkOptions(own)
    const value = input && given
    const time = timeFromNow({ timeout: own?.timeout ?? target.callTimeout, signal: own?.signal })
    const subject = { function: name }
    const check = checker(subject, time)
    const send = () =>
      output
        ? target.rpc(name, value, leftOf(own, time)).catch((error) => this.#throwDeclared(error, check))
        : target.notify(name, value)
    // A call whose schema answers at once is sent at once, before any later message.
    const answer = await (this.#settings.checkSent
      ? target.order(this.#checkInput(target, value, check), send, (work) => inTime(work, time, subject))
      : send())
    if (!output) return undefined
    return this.#take(output, answer, check)
  }

  /**
   * The sender of a one-way message often ignores its promise, so a message that is not sent is
   * reported.
   */
  #checkInput(target: CallTarget, value: unknown, check: Check): unknown {
    const { name, procedure } = this.#operation
    const { input, output } = procedure['~procedure']
    const refuse = (cause: unknown): never => {
      if (!output) target.failed(cause, { function: name, step: 'notification' })
      throw cause
    }
    try {
      const asked = check(input, value, 'invalid_input')
      return asked instanceof Promise ? asked.catch(refuse) : asked
    } catch (cause) {
      return refuse(cause)
    }
  }

  /** Returns the schema's output for a value of the client. @throws RpcError `invalid_output` */
  #take(schema: Schema | undefined, value: unknown, check: Check): unknown {
    const wrong = checked(schema) && refuseParts(value, this.#settings.maxParts)
    if (wrong?.issues) throw invalid('invalid_output', { function: this.#operation.name }, wrong.issues)
    return check(schema, value, 'invalid_output')
  }

  /** @throws the error, with its data after its schema */
  async #throwDeclared(error: unknown, check: Check): Promise<never> {
    const { errors = {} } = this.#operation.procedure['~procedure']
    if (!RpcError.is(error) || !Object.hasOwn(errors, error.code)) throw error
    const data = await this.#take(errors[error.code], error.data, check)
    throw data === error.data ? error : new RpcError(error.code, error.message, data, error)
  }
}

/** @throws RpcError `bad_option`, which names the option */
function checkOptions(options: CallOptions): void {
  if (Object(options) !== options) throw badOption('options', 'an object')
  checkCallOptions(options, options.timeout ?? 0)
}

/** Returns the options of a call, with the rest of its time-out, if it has one. */
function leftOf(options: CallOptions | undefined, { timeout }: ValidationTime): CallOptions | undefined {
  return options?.timeout === undefined ? options : { ...options, timeout }
}

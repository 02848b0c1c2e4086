import { onAbort, RpcError, startTimer } from '@token-socket/protocol'
import type { Schema } from './schema.js'
import { checked, invalid, type ValueSubject, validate } from './validation.js'

/** How long a schema may take, and what gives it up. */
export interface ValidationTime {
  /** Milliseconds; 0 or `Infinity` for any time. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** A value, and what it is to be. */
export interface UncheckedValue {
  readonly schema: Schema | undefined
  readonly value: unknown
  /** The code of the error for a wrong value. */
  readonly code: 'invalid_input' | 'invalid_output'
  readonly subject: ValueSubject
}

/**
 * What a schema makes of a value: at once, or a promise where the schema's answer is one.
 *
 * @throws RpcError the code for a wrong value, `timeout`, `aborted`; or rejects with it. Error if the schema throws
 */
export function checkedValue(unchecked: UncheckedValue, time: ValidationTime): unknown {
  const { value, code, subject } = unchecked
  const schema = checked(unchecked.schema)
  if (!schema) return value
  return next(
    validate(schema, value),
    (result) => {
      if (result.issues) throw invalid(code, subject, result.issues)
      return result.value
    },
    (work) => inTime(work, time, subject),
  )
}

/** Goes on with a value: at once, unless it is a promise. */
export function next<T, R>(
  value: T | Promise<T>,
  go: (value: T) => R,
  bound: (work: Promise<T>) => Promise<T> = (work) => work,
): R | Promise<R> {
  return value instanceof Promise ? bound(value).then(go) : go(value)
}

function inTime<T>(work: Promise<T>, { timeout, signal }: ValidationTime, subject: ValueSubject): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (code: 'timeout' | 'aborted') => () => reject(new RpcError(code, undefined, subject))
    const undo = [
      timeout > 0 && startTimer(timeout, giveUp('timeout')),
      signal && onAbort(signal, giveUp('aborted')),
    ]
    const over = () => {
      for (const one of undo) if (one) one()
    }
    work.then(resolve, reject).finally(over)
  })
}

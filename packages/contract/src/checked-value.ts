import { MAX_TIMEOUT, onAbort, RpcError, startTimeout } from '@token-socket/protocol'
import type { Schema } from './schema.js'
import { checked, invalid, type ValueSubject, validate } from './validation.js'

/** How long a schema may take, and the signal that ends the wait. */
export interface ValidationTime {
  /** Milliseconds; 0 or `Infinity` for any time. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** The error code of a wrong value. */
export type InvalidCode = 'invalid_input' | 'invalid_output'

/**
 * Returns a schema's output for a value; see {@link checker}.
 * @param code that of the error for a wrong value. @default `invalid_input`
 */
export type Check = (schema: Schema | undefined, value: unknown, code?: InvalidCode) => unknown

/**
 * Checks values: gives what a schema makes of one, at once, or a promise where the schema's answer
 * is one.
 *
 * @param subject what errors name
 * @returns a function that throws, or rejects with, the RpcError of a wrong value, `timeout` and
 *   `aborted`; an Error if the schema throws
 */
export function checker(subject: ValueSubject, time: ValidationTime): Check {
  return (given, value, code = 'invalid_input') => {
    const schema = checked(given)
    if (!schema) return value
    return next(
      validate(schema, value),
      ({ issues, value }) => {
        if (issues) throw invalid(code, subject, issues)
        return value
      },
      (work) => inTime(work, time, subject),
    )
  }
}

/** Continues with a value: at once, unless it is a promise. */
export function next<T, R>(
  value: T | Promise<T>,
  go: (value: T) => R,
  bound: (work: Promise<T>) => Promise<T> = (work) => work,
): R | Promise<R> {
  return value instanceof Promise ? bound(value).then(go) : go(value)
}

/** Limits the time of work: the promise rejects with `timeout` or `aborted` when it is over. */
export function inTime<T>(
  work: Promise<T>,
  { timeout, signal }: ValidationTime,
  subject: ValueSubject,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (code: 'timeout' | 'aborted') => () => reject(new RpcError(code, undefined, subject))
    const stopTimer = startTimeout(timeout || MAX_TIMEOUT, giveUp('timeout'))
    const forget = signal && onAbort(signal, giveUp('aborted'))
    const over = () => {
      stopTimer()
      forget?.()
    }
    work.then(resolve, reject).finally(over)
  })
}

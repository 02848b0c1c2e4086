import { MAX_TIMEOUT, nearestName, RpcError } from '@token-socket/protocol'
import { hasMethods } from '../runtime/given-value.js'
import type { Logger } from '../runtime/logger.js'

/** Makes the error for a wrong option. @param why what it has to be, or must not be */
export function badOption(name: string, why: string): RpcError {
  return new RpcError('bad_option', `Invalid option: ${name} ${why}`, { field: name })
}

/** @throws RpcError `bad_option` */
export function checkOptions(options: unknown): asserts options is object {
  if (typeof options !== 'object' || options === null) throw badOption('options', 'has to be an object')
}

/** @throws RpcError `bad_option` unless it is a number above 0 */
export function checkNumber(name: string, value: unknown): asserts value is number {
  if (typeof value !== 'number' || !(value > 0)) throw badOption(name, 'has to be a number above 0')
}

/** @throws RpcError `bad_option` unless it is a whole number above 0, or `Infinity` */
export function checkCount(name: string, value: unknown): asserts value is number {
  checkNumber(name, value)
  if (!Number.isInteger(value) && value !== Number.POSITIVE_INFINITY)
    throw badOption(name, 'has to be a whole number above 0, or Infinity')
}

/** Node's timers take a longer time for one millisecond. @throws RpcError `bad_option` */
export function checkWait(name: string, ms: number): void {
  if (ms > MAX_TIMEOUT) throw badOption(name, `must not be above ${MAX_TIMEOUT}`)
}

/** @throws RpcError `bad_option` unless it is a logger or `undefined` */
export function checkLogger(logger: unknown): void {
  if (logger !== undefined && !hasMethods(Object(logger), LOGGER_METHODS))
    throw badOption('logger', `has to have the functions ${LOGGER_METHODS.join(', ')}`)
}

const LOGGER_METHODS = ['debug', 'info', 'warn', 'error']

/** The options of a warning about unknown ones. */
export interface KnownOptions {
  readonly options: object
  /** The known names. */
  readonly known: readonly string[]
  /** The prefix of a name in the log, such as `limits.`. @default none */
  readonly of?: string | undefined
  /** The names that other libraries, or older versions, have for an option. @default none */
  readonly aliases?: ReadonlyMap<string, string> | undefined
}

/**
 * Logs a warning for each unknown option, with the most likely one as `didYouMean`. Unknown options
 * are no error: old applications may still pass obsolete ones.
 */
export function warnOfUnknown(
  logger: Pick<Logger, 'warn'>,
  { options, known, of = '', aliases }: KnownOptions,
): void {
  for (const name of Object.keys(options).filter((name) => !known.includes(name))) {
    const meant = aliases?.get(name) ?? nearestName(name, known)
    const suggestion = meant === undefined ? {} : { didYouMean: of + meant }
    logger.warn({ option: of + name, ...suggestion }, 'there is no such option')
  }
}

/** Options of which none is `undefined`, although some may be missing. */
export type Given<Options> = { readonly [Name in keyof Options]: Exclude<Options[Name], undefined> }

/** Returns options without those that are `undefined`. */
export function withoutUndefined<Options extends object>(options: Options): Given<Options> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Given<Options>
}

import { types } from 'node:util'
import {
  decodeError,
  ERRORS,
  encodeData,
  encodeError,
  forCaller,
  RpcError,
  readForeign,
} from '@token-socket/protocol'
import { shorten } from './shorten.js'

/** UTF-16 code units of an error's data, as JSON, in a line of the log. */
const DATA = 1000

/** Matches a code or a class that distinguishes kinds of errors: no sentence, and no data. */
const NAME = /^\w{1,40}$/

/**
 * Whether a value is an error, also of another realm or another copy of this package. Never throws.
 */
export function isError(value: unknown): value is Error {
  return (
    readForeign(() => value instanceof Error || types.isNativeError(value) || RpcError.is(value)) === true
  )
}

/**
 * Returns the code of an error, shortened, or its class, for the details of a line. Never throws,
 * even if the error cannot be read.
 */
export function codeOf(cause: unknown): string {
  const name = readForeign(() => {
    if (RpcError.is(cause)) return shorten(String(cause.code))
    return cause instanceof Error ? shorten(String(cause.name)) : typeof cause
  })
  return name ?? 'unreadable'
}

/**
 * Returns the error that a client gets when the application refused it with this one. Never throws:
 * an error that cannot be read becomes `internal`, whose cause says why.
 */
export function refusalOf(error: unknown): RpcError {
  try {
    return decodeError(encodeError(forCaller(error)))
  } catch (cause) {
    return new RpcError('internal', undefined, undefined, cause)
  }
}

/**
 * Returns what distinguishes kinds of errors: the library's own code, or the class. Other codes may
 * come from a client, whose error rejects a call to it. Never throws.
 */
export function classOf(cause: unknown): string {
  const name = codeOf(cause)
  if (RpcError.is(cause)) return Object.hasOwn(ERRORS, name) ? name : 'application_error'
  return NAME.test(name) ? name : 'Error'
}

/**
 * Returns an error for a line of the log. An RpcError with a long code, text or data becomes a
 * shortened copy, since a client may have sent it. Never throws.
 */
export function shortError(cause: unknown): unknown {
  if (!RpcError.is(cause)) return cause
  const short = readForeign(() => (isLong(cause) ? cut(cause) : cause))
  return short ?? new RpcError('internal', 'An error that cannot be read')
}

function isLong({ code, message, data }: RpcError): boolean {
  return [code, message].some((text) => shorten(text) !== text) || isLarge(data)
}

function isLarge(data: unknown): boolean {
  return data !== undefined && encodeData(data).length > DATA
}

function cut({ code, message, data, stack = '' }: RpcError): RpcError {
  const short = new RpcError(shorten(code), shorten(message), isLarge(data) ? undefined : data)
  // The stack, without the text above it.
  const at = stack.indexOf('\n    at ')
  short.stack = `${short.name}: ${short.message}${at < 0 ? '' : stack.slice(at)}`
  return short
}

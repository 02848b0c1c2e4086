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

/** UTF-16 code units of an error's data, as JSON, that a line of the log has. */
const DATA = 1000

/** A code or a class that tells kinds of errors apart: no sentence, and no data. */
const NAME = /^\w{1,40}$/

/**
 * Whether it is an error. Those of other realms, and of another copy of this package, count. Never
 * throws.
 */
export function isError(value: unknown): value is Error {
  return (
    readForeign(() => value instanceof Error || types.isNativeError(value) || RpcError.is(value)) === true
  )
}

/** The code of an error, cut, or its class, for the details of a line. Never throws: some errors cannot be read. */
export function codeOf(cause: unknown): string {
  const name = readForeign(() => {
    if (RpcError.is(cause)) return shorten(String(cause.code))
    return cause instanceof Error ? shorten(String(cause.name)) : typeof cause
  })
  return name ?? 'unreadable'
}

/**
 * What a client gets of an error that the application refused it with. Never throws: an error that cannot be read is
 * `internal`, whose cause says why.
 */
export function refusalOf(error: unknown): RpcError {
  try {
    return decodeError(encodeError(forCaller(error)))
  } catch (cause) {
    return new RpcError('internal', undefined, undefined, cause)
  }
}

/**
 * What tells kinds of errors apart: the library's own code, or the class. Other codes may come from a client, whose error
 * rejects a call to it. Never throws.
 */
export function classOf(cause: unknown): string {
  const name = codeOf(cause)
  if (RpcError.is(cause)) return Object.hasOwn(ERRORS, name) ? name : 'application_error'
  return NAME.test(name) ? name : 'Error'
}

/**
 * An error as a line of the log has it: as it is, but an RpcError with a long code, text or data is a cut copy, since a client
 * may have sent it. Never throws.
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
  // The calls, without the text that stands above them.
  const at = stack.indexOf('\n    at ')
  short.stack = `${short.name}: ${short.message}${at < 0 ? '' : stack.slice(at)}`
  return short
}

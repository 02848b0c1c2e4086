import { forCaller, RpcError } from '@token-socket/protocol'
import type { ErrorSchemas } from './procedure.js'

/** Functions that create an operation's declared errors, by code. */
export type Errors = Readonly<Record<string, (data?: unknown, message?: string) => RpcError>>

/** The functions that make an operation's declared errors. */
export function errorsOf(schemas: ErrorSchemas = {}): Errors {
  const make = (code: string) => (data?: unknown, message?: string) => new RpcError(code, message, data)
  return Object.freeze(Object.fromEntries(Object.keys(schemas).map((code) => [code, make(code)])))
}

/**
 * Whether what an operation's function throws is an error that it declares. The failure of a
 * call that the function made is none,
 * whatever its code is.
 *
 * @param name the operation's
 */
export function isDeclared(cause: unknown, schemas: ErrorSchemas, name: string): cause is RpcError {
  return RpcError.is(cause) && Object.hasOwn(schemas, cause.code) && forCaller(cause, name) === cause
}

import { RpcError } from './errors.js'

/** In the place of `call-site` in scripts whose bytes count: a browser shows where a promise was awaited. */
export function callSite(): undefined {}

/** An error of its own for each of several calls that fail with the same one: each notes its call. */
export function copyOf({ code, message, data, cause }: RpcError): RpcError {
  return new RpcError(code, message, data, cause)
}

/** Leaves the error as it is. */
export function showCallSite(): void {}

/** In the place of `call-options` in scripts whose bytes count. */
import type { CancelReason } from './call-context.js'
import { RpcError } from './errors.js'

/** Checks nothing: a time-out below 0 is over at once, and what is no number counts as none. */
export function checkTimeout(): void {}

/** Why a call is given up on this side. The error has no subject. */
export function gaveUp(code: CancelReason, _name: string | undefined, cause?: unknown): RpcError {
  return new RpcError(code, undefined, undefined, cause)
}

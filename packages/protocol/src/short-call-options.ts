/** In the place of `call-options` in scripts whose bytes count. */
import type { CancelReason } from './call-context.js'
import type { CallOptions } from './call-options.js'
import { badOption, RpcError } from './errors.js'

/** Checks nothing: a time-out below 0 is over at once, and what is no number counts as none. */
export function checkTimeout(): void {}

/** Checks of a call's options only what would leave the call open. */
export function checkCallOptions({ signal }: CallOptions, timeout: unknown): void {
  if (typeof timeout !== 'number') throw badOption('timeout', 'a number')
  if (signal && !signal.addEventListener) throw badOption('signal', 'an AbortSignal')
}

/** Why a call is given up on this side. The error has no subject. */
export function gaveUp(code: CancelReason, _name: string | undefined, cause?: unknown): RpcError {
  return new RpcError(code, undefined, undefined, cause)
}

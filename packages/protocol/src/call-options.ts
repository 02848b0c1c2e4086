import type { CancelReason } from './call-context.js'
import { textOf } from './error-texts.js'
import { badOption, RpcError } from './errors.js'

/** How long a call may take, and what cancels it. */
export interface CallOptions {
  /** Milliseconds until the call fails with `timeout`; 0 or `Infinity` for never. @default 30000 */
  readonly timeout?: number | undefined
  /**
   * Cancels the call: it fails with `aborted`, at once if the signal is aborted already. The
   * signal's reason is the `cause`.
   */
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks a time-out, and that the options are an object.
 * @param options of a call, or of any other method with a `timeout`
 * @param timeout their time-out, or the default, in milliseconds; 0 or `Infinity` for none
 * @throws RpcError `bad_option`
 */
export function checkTimeout(options: object, timeout: unknown): void {
  if (typeof options !== 'object') throw badOption('timeout', 'given as { timeout }')
  if ('aborted' in options) throw badOption('signal', 'given as { signal }')
  if (typeof timeout !== 'number' || !(timeout >= 0)) throw badOption('timeout', 'a number, 0 or above')
}

/**
 * Checks the options of a call. @param timeout see {@link checkTimeout} @throws RpcError
 * `bad_option`
 */
export function checkCallOptions(options: CallOptions, timeout: unknown): void {
  checkTimeout(options, timeout)
  const { signal } = options
  if (signal && !('removeEventListener' in Object(signal) && 'addEventListener' in signal))
    throw badOption('signal', 'an AbortSignal')
}

/** Why a call is cancelled on this side. It names the function, as the peer's answer does. */
export function gaveUp(code: CancelReason, name: string | undefined, cause?: unknown): RpcError {
  if (!name) return new RpcError(code, undefined, undefined, cause)
  return new RpcError(code, `${textOf(code)}: ${name}`, { function: name }, cause)
}

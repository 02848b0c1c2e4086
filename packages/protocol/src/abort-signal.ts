/**
 * Abort signals by the members that every platform has: `aborted`, `addEventListener` and
 * `removeEventListener`. React Native up to 0.86, jsdom and pages with zone.js lack or break
 * `reason`, `throwIfAborted` and the `signal` of listeners' options.
 */
import { RpcError } from './errors.js'

export { abortWith } from './abort-with.js'
export { onAbort } from './on-abort.js'

/**
 * Returns why a signal was aborted; RpcError `aborted` where the platform does not keep the reason.
 */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new RpcError('aborted')
}

/** @throws the reason, if the signal is aborted */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortReason(signal)
}

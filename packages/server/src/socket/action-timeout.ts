import { type CallOptions, isNever } from '@token-socket/protocol'
import { CALL_OPTIONS } from './method-options.js'

/**
 * Returns the time-out of an action that is sent to its client, in milliseconds: 0 for none,
 * `undefined` for the client's own limit.
 * @throws RpcError `bad_option`
 */
export function actionTimeout(options: CallOptions | undefined): number | undefined {
  if (options) CALL_OPTIONS.check(options)
  const timeout = options?.timeout
  // JSON has no `Infinity`.
  return timeout !== undefined && isNever(timeout) ? 0 : timeout
}

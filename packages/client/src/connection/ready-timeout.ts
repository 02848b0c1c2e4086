import { checkTimeout, RpcError, startTimeout } from '@token-socket/protocol'
import type { SocketStatus } from '../settings/socket-status.js'

/** Options of `ready`. */
export interface ReadyOptions {
  /** Milliseconds; 0 and `Infinity` are no limit. @default 0 */
  readonly timeout?: number | undefined
}

/**
 * Waits for the first `ready`, at most for `timeout`.
 * @param status returns the socket's status when the time is over
 * @returns what `outcome` promises; rejects with `timeout`, whose text and `cause` are the last
 *   failure and whose `data` has the status and the `limit`; at once with `bad_option` for wrong
 *   options
 */
export async function readyInTime(
  outcome: Promise<void>,
  options: ReadyOptions | undefined,
  status: () => SocketStatus,
): Promise<void> {
  const limit = options?.timeout ?? 0
  checkTimeout(options ?? {}, limit)
  if (!(limit > 0)) return outcome
  return new Promise((resolve, reject) => {
    const expire = () => {
      const { error, ...rest } = status()
      const text = `Not ready after ${limit} ms: ${error?.message ?? rest.state}`
      reject(new RpcError('timeout', text, { ...rest, limit }, error))
    }
    outcome.then(resolve, reject).finally(startTimeout(limit, expire, true))
  })
}

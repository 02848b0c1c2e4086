import { abortReason, abortWith, onAbort, RpcError, startTimeout } from '@token-socket/protocol'

/**
 * Runs an operation that may take at most `wait` milliseconds and can be cancelled.
 *
 * @param run gets a signal that is aborted when the time is over, or when the outer signal is
 * @returns what `run` promises; rejects with `timeout` or the outer signal's reason at once, even
 *   if `run` ignores its signal
 */
export async function limitTime<T>(
  [wait, text]: readonly [wait: number, text?: string],
  outer: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController()
  let giveUp = (_: unknown) => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = (error) => {
      reject(error)
      abortWith(inner, error)
    }
  })
  const stopTimer = startTimeout(wait, () => giveUp(new RpcError('timeout', text)))
  const unwatch = onAbort(outer, () => giveUp(abortReason(outer)))
  try {
    return await Promise.race([givenUp, run(inner.signal)])
  } finally {
    stopTimer()
    unwatch()
  }
}

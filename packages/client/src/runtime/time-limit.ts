import { abortReason, abortWith, onAbort, RpcError, startTimeout } from '@token-socket/protocol'

/**
 * Runs something that may take `wait` milliseconds at most, and that can be given up.
 *
 * @param run gets a signal that is aborted when the time is up or the outer signal is
 * @returns what `run` promises; rejects with `timeout` or the outer signal's reason as soon as that comes, also if
 *   `run` takes no notice of its signal
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

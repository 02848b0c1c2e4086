import { abort, abortReason, onAbort, RpcError, startTimer } from '@token-socket/protocol'

/**
 * Runs something that may take `wait` milliseconds at the most, and that can be given up.
 *
 * @param run gets a signal that is aborted when the time is up or the outer signal is
 * @returns what `run` promises; rejects with `timeout` or the outer signal's reason as soon as that comes, also if
 *   `run` takes no notice of its signal
 */
export async function limitTime<T>(
  wait: number,
  outer: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const inner = new AbortController()
  const { signal } = inner
  const aborted = new Promise<never>((_, reject) => {
    onAbort(signal, () => reject(abortReason(signal)))
  })
  const giveUp = () => abort(inner, abortReason(outer))
  const unwatch = onAbort(outer, giveUp)
  if (outer.aborted) giveUp()
  const stopTimer = startTimer(wait, () => abort(inner, new RpcError('timeout')))
  try {
    return await Promise.race([aborted, run(signal)])
  } finally {
    stopTimer()
    unwatch()
  }
}

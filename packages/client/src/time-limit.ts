import { RpcError, startTimer } from '@token-socket/protocol'

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
  const abort = () => inner.abort(outer.reason)
  const { signal } = inner
  const aborted = new Promise<never>((_, reject) => {
    signal.onabort = () => reject(signal.reason)
  })
  outer.addEventListener('abort', abort)
  if (outer.aborted) abort()
  const stopTimer = startTimer(wait, () => inner.abort(new RpcError('timeout')))
  try {
    return await Promise.race([aborted, run(signal)])
  } finally {
    stopTimer()
    outer.removeEventListener('abort', abort)
  }
}

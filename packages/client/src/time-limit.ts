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
  if (outer.aborted) abort()
  outer.addEventListener('abort', abort)
  const stopTimer = startTimer(wait, () => inner.abort(new RpcError('timeout')))
  try {
    return await Promise.race([aborted(inner.signal), run(inner.signal)])
  } finally {
    stopTimer()
    outer.removeEventListener('abort', abort)
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

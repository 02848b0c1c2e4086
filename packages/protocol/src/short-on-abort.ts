/**
 * In the place of `on-abort` in scripts whose bytes count: browsers warn of no number of listeners.
 * @returns a function that undoes it
 */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) run()
  else signal.addEventListener('abort', run)
  return () => signal.removeEventListener('abort', run)
}

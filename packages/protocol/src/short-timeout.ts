/** Longest time that `setTimeout` can wait, in milliseconds; it would take a longer one for none. */
export const MAX_TIMEOUT = 2 ** 31 - 1

/**
 * In the place of `timer` in scripts whose bytes count: a browser has no process that a timer could keep alive.
 * @returns a function that undoes it
 */
export function startTimeout(wait: number, run: () => void): () => void {
  const timer = setTimeout(run, Math.min(wait, MAX_TIMEOUT))
  return () => clearTimeout(timer)
}

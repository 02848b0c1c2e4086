/** Longest time that `setTimeout` can wait, in milliseconds; it would take a longer one for none. */
export const LONGEST_WAIT = 2 ** 31 - 1

/**
 * Calls `run` once, after `wait` milliseconds, or about 25 days if that is less.
 * @param keepsAlive whether a Node process stays alive for it
 * @returns its undo
 */
export function startTimer(wait: number, run: () => void, keepsAlive = false): () => void {
  const timer: unknown = setTimeout(run, Math.min(wait, LONGEST_WAIT))
  // Node's timers are objects that can be told not to keep the process alive; a browser's are numbers.
  if (typeof timer === 'object' && !keepsAlive) (timer as { unref(): void }).unref()
  return () => clearTimeout(timer as number)
}

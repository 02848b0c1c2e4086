/** Longest time that `setTimeout` can wait, in milliseconds; it would take a longer one for none. */
export const MAX_TIMEOUT = 2 ** 31 - 1

/**
 * Calls `run` once, after `wait` milliseconds, or about 25 days if that is less.
 * @param keepsAlive whether a Node process stays alive for it
 * @returns a function that undoes it
 */
export function startTimeout(wait: number, run: () => void, keepsAlive = false): () => void {
  const timer = setTimeout(run, Math.min(wait, MAX_TIMEOUT)) as unknown as number & Partial<NodeTimer>
  // Node's timers are objects that can be told not to keep the process alive; a browser's are numbers.
  if (!keepsAlive) timer.unref?.()
  return () => {
    // Node keeps the list of a wait after its last timer is cleared, unless that one keeps the
    // process alive.
    timer.ref?.()
    clearTimeout(timer)
  }
}

interface NodeTimer {
  ref(): void
  unref(): void
}

/**
 * Calls `run` once, after `wait` milliseconds. Does not keep a Node process alive.
 * @returns its undo
 */
export function startTimer(wait: number, run: () => void): () => void {
  const timer: unknown = setTimeout(run, wait)
  // Node's timers are objects that can be told not to keep the process alive; a browser's are numbers.
  if (typeof timer === 'object') (timer as { unref(): void }).unref()
  return () => clearTimeout(timer as number)
}

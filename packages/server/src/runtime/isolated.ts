/**
 * Calls a function of the application's. What it throws, or what its promise rejects with, goes to `failed` and nowhere
 * else, so that it cannot end the process. What `failed` throws is dropped.
 */
export function callIsolated(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    handleRejection(run(), failed)
  } catch (cause) {
    report(failed, cause)
  }
}

/** There is no other place for what the report of a failure throws. */
function report(failed: (cause: unknown) => void, cause: unknown): void {
  try {
    failed(cause)
  } catch {}
}

/** Takes the rejection of what a function returned, if that is a promise. @returns whether it is one */
export function handleRejection(returned: unknown, failed: (cause: unknown) => void): boolean {
  if (!isThenable(returned)) return false
  Promise.resolve(returned).catch((cause) => report(failed, cause))
  return true
}

/** Whether a value is a promise, or can be awaited like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

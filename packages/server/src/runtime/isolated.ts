/**
 * Calls a function of the application. Its error, thrown or rejected, is passed to `failed` and
 * nowhere else, so that it cannot end the process. Errors of `failed` are dropped.
 */
export function callIsolated(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    handleRejection(run(), failed)
  } catch (cause) {
    report(failed, cause)
  }
}

/** There is nowhere else to report an error of the report itself. */
function report(failed: (cause: unknown) => void, cause: unknown): void {
  try {
    failed(cause)
  } catch {}
}

/** Handles the rejection of a returned promise. @returns whether the value is a promise */
export function handleRejection(returned: unknown, failed: (cause: unknown) => void): boolean {
  if (!isThenable(returned)) return false
  Promise.resolve(returned).catch((cause) => report(failed, cause))
  return true
}

/** Whether a value is a promise, or can be awaited like one. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/**
 * Marks a promise as handled, and returns the same promise: if it rejects and the application does not await it, no
 * `unhandledRejection` follows, which would end a Node process. Who awaits it gets the rejection all the same.
 */
export function markHandled<P extends Promise<unknown>>(promise: P): P {
  promise.catch(() => {})
  return promise
}

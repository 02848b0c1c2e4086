/**
 * Marks a promise as handled, and returns it. If it rejects and the application does not await it,
 * there is no `unhandledRejection`, which would end a Node process. An awaiting caller still
 * gets the rejection.
 */
export function markHandled<P extends Promise<unknown>>(promise: P): P {
  promise.catch(() => {})
  return promise
}

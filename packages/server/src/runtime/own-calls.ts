import { callFailure, forCaller, RpcError } from '@token-socket/protocol'

/** Codes that say that the application itself called a method with a wrong argument. */
const MISTAKES: ReadonlySet<string> = new Set([
  'bad_message',
  'bad_option',
  'too_large',
  'too_long',
  'unserializable',
])

/**
 * Notes on an error that a method of the application's failed with it, unless it is noted already which call did. A handler
 * that does not catch it fails with `nested_failed` then: its caller said nothing wrong.
 * @param method as the application writes it, such as `cluster.disconnect`
 */
export function noteFailure(error: unknown, method: string): void {
  if (RpcError.is(error) && Object.isExtensible(error) && forCaller(error) === error)
    callFailure(error, method)
}

/** Does what a method of the application's does at once. @throws what it throws, noted by {@link noteFailure} */
export function noted<T>(method: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    noteFailure(error, method)
    throw error
  }
}

/**
 * Does what a method of the application's promises. The application may leave the promise alone.
 * @param failed receives a mistake of the application's, which would otherwise show nowhere if the promise is left alone.
 *   @default nothing does
 */
export function promised<T>(
  method: string,
  work: () => Promise<T>,
  failed?: (cause: unknown, details: object) => void,
): Promise<T> {
  const isMistake = (error: unknown) => RpcError.is(error) && MISTAKES.has(error.code)
  return watched(work(), method, (error) => isMistake(error) && failed?.(error, { method }))
}

/** Notes, and reports, whatever a method's promise rejects with. The application may leave it alone. @returns the promise */
export function watched<T>(
  promise: Promise<T>,
  method: string,
  failed: (cause: unknown) => void,
): Promise<T> {
  promise.catch((error) => {
    noteFailure(error, method)
    failed(error)
  })
  return promise
}

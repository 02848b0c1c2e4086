import { callFailure, forCaller, RpcError } from '@token-socket/protocol'

/** Codes which mean that the application called a method with a wrong argument. */
const MISTAKES: ReadonlySet<string> = new Set([
  'bad_message',
  'bad_option',
  'too_large',
  'too_long',
  'unserializable',
])

/**
 * Notes on an error which method of the server failed with it, unless that is noted already. A
 * handler that does not catch the error then fails with `nested_failed`, since its own caller did
 * nothing wrong.
 * @param method as the application writes it, such as `cluster.disconnect`
 */
export function noteFailure(error: unknown, method: string): void {
  if (RpcError.is(error) && Object.isExtensible(error) && forCaller(error) === error)
    callFailure(error, method)
}

/** Runs a method that acts at once. @throws its error, noted by {@link noteFailure} */
export function noted<T>(method: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    noteFailure(error, method)
    throw error
  }
}

/**
 * Runs a method that returns a promise, which the application need not await.
 * @param failed receives a mistake of the application, which would otherwise not be visible if the
 *   promise is not awaited.
 *   @default it is not reported
 */
export function promised<T>(
  method: string,
  work: () => Promise<T>,
  failed?: (cause: unknown, details: object) => void,
): Promise<T> {
  const isMistake = (error: unknown) => RpcError.is(error) && MISTAKES.has(error.code)
  return watched(work(), method, (error) => isMistake(error) && failed?.(error, { method }))
}

/**
 * Notes and reports every rejection of a method's promise. The application need not await it.
 * @returns the promise
 */
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

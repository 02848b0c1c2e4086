import { RpcError } from '@token-socket/protocol'

/** How a call ended: `callback(error)`, or `callback(null, data)`. */
export type Callback<Data = unknown> = (error: RpcError | null, data?: Data) => void

/**
 * Throws an error where it can harm nobody but is seen as uncaught: what an application's own listeners and callbacks
 * throw is neither hidden nor let into the library.
 */
export function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** Runs the application's code; what it throws goes to {@link throwLater}. */
export function guard(run: () => void): void {
  try {
    run()
  } catch (error) {
    throwLater(error)
  }
}

/**
 * Gives a promise that nobody has to look at: an outcome that is not awaited is never an unhandled rejection.
 * With a callback, the callback gets the outcome too, exactly once.
 */
export function deliver<Data>(promise: Promise<Data>, callback?: Callback<Data>): Promise<Data> {
  promise.then(
    (data) => callback && guard(() => callback(null, data)),
    (error: unknown) => callback && guard(() => callback(asRpcError(error))),
  )
  return promise
}

/** Any thrown value as an {@link RpcError}; what is not one yet becomes `internal` with its cause. */
export function asRpcError(error: unknown): RpcError {
  if (RpcError.is(error)) return error
  return new RpcError('internal', error instanceof Error ? error.message : undefined, undefined, error)
}

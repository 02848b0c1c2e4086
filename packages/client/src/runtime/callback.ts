import { asRpcError, callFailure, plainErrorOf, type RpcError } from '@token-socket/protocol'

/** The result of a call: `callback(error)`, or `callback(null, data)`. */
export type Callback<Data = unknown> = (error: RpcError | null, data?: Data) => void

/**
 * Runs a listener or callback of the application. What it throws does not reach the library: it is
 * thrown again as an uncaught error.
 */
export function runIsolated(run: () => void): void {
  try {
    run()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/**
 * Returns a promise that need not be awaited: its rejection is never an unhandled one. A callback
 * gets the outcome as well, exactly once. Any value but a function is ignored. The failure is
 * marked as that of a request, so that a function that passes it on fails with `nested_failed`.
 * @param isPlain whether the callback gets errors in the server's form. @default false
 */
export function settle<Data>(
  promise: Promise<Data>,
  callback?: Callback<Data>,
  isPlain?: boolean,
): Promise<Data> {
  const call: Callback<Data> = (...outcome) =>
    typeof callback === 'function' && runIsolated(() => callback(...outcome))
  promise.then(
    (data) => call(null, data),
    (cause: unknown) => {
      const error = callFailure(asRpcError(cause))
      call(isPlain ? (plainErrorOf(error) as RpcError) : error)
    },
  )
  return promise
}

/** Splits the last argument of a method into a callback and options. `null` is neither. */
export function split<Data, Options>(
  rest: Callback<Data> | Options | undefined,
): [callback?: Callback<Data> | undefined, options?: Options | undefined] {
  return typeof rest === 'function' ? [rest as Callback<Data>] : [undefined, rest ?? undefined]
}

import { asRpcError, callFailure, plainErrorOf, type RpcError } from '@token-socket/protocol'

/** How a call ended: `callback(error)`, or `callback(null, data)`. */
export type Callback<Data = unknown> = (error: RpcError | null, data?: Data) => void

/**
 * Runs the application's own listeners and callbacks. What they throw is neither hidden nor let into the library: it is
 * thrown again where it can harm no one but is seen as uncaught.
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
 * Gives a promise that no one has to look at: an outcome that is not awaited is never an unhandled rejection.
 * With a callback, the callback gets the outcome too, exactly once. What is given instead of a function is left alone.
 * A failure is noted as that of a request: a function that passes it on fails with `nested_failed`.
 * @param isPlain whether the callback gets errors as the server said them. @default false
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

/** The last argument of a method: a callback or options. `null` is neither. */
export function split<Data, Options>(
  rest: Callback<Data> | Options | undefined,
): [callback?: Callback<Data> | undefined, options?: Options | undefined] {
  return typeof rest === 'function' ? [rest as Callback<Data>] : [undefined, rest ?? undefined]
}

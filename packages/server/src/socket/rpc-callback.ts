import { asRpcError, RpcError } from '@token-socket/protocol'
import { callIsolated } from '../runtime/isolated.js'

/** Gets how a call to a client ended: `callback(error)`, or `callback(null, data)`. Called exactly once. */
export type RpcCallback = (error: RpcError | null, data?: unknown) => void

/**
 * Gives a callback how a promise ends, exactly once.
 * @param failed gets what the callback throws, or rejects with; it goes nowhere else
 */
export function callBack(
  promise: Promise<unknown>,
  callback: RpcCallback,
  failed: (cause: unknown) => void,
): void {
  promise.then(
    (data) => callIsolated(() => callback(null, data), failed),
    (error) => callIsolated(() => callback(asRpcError(error)), failed),
  )
}

/** A callback in the place of options would never be called. @throws RpcError `bad_message` */
export function refuseCallback(method: string, options: unknown): void {
  if (typeof options !== 'function') return
  const text = `Invalid message: ${method} takes no callback, it returns a promise`
  throw new RpcError('bad_message', text, { field: 'options' })
}

import { asRpcError, plainErrorOf, RpcError } from '@token-socket/protocol'
import { callIsolated } from '../runtime/isolated.js'

/**
 * Gets how a call to a client ended: `callback(error)`, or `callback(null, data)`. Called exactly
 * once. With the option `plainErrors`, `error` is what the client said.
 */
export type RpcCallback = (error: RpcError | null, data?: unknown) => void

/** How a callback is called. */
export interface CallBackOptions {
  /** Gets what the callback throws, or rejects with; it goes nowhere else. */
  failed(cause: unknown): void
  /** Whether the callback gets errors as the other end said them. @default false */
  readonly plainErrors?: boolean | undefined
}

/** Gives a callback how a promise ends, exactly once. */
export function callBack(
  promise: Promise<unknown>,
  callback: RpcCallback,
  { failed, plainErrors }: CallBackOptions,
): void {
  const shown = (error: RpcError) => (plainErrors ? plainErrorOf(error) : error) as RpcError
  promise.then(
    (data) => callIsolated(() => callback(null, data), failed),
    (error) => callIsolated(() => callback(shown(asRpcError(error))), failed),
  )
}

/** A callback in the place of options would never be called. @throws RpcError `bad_message` */
export function refuseCallback(method: string, options: unknown): void {
  if (typeof options !== 'function') return
  const text = `Invalid message: ${method} takes no callback, it returns a promise`
  throw new RpcError('bad_message', text, { field: 'options' })
}

import { asRpcError, type ErrorCode, type RpcError } from '@token-socket/protocol'
import type { Answer } from '../operation-types.js'

/** An error of the library, or of the connection. */
export type LibraryError = RpcError & { readonly code: ErrorCode }

/**
 * How a call ended: `[null, answer]`, or `[error, undefined]` whose error narrows by its `code`.
 */
export type SafeResult<Output, Errors = never> =
  | readonly [error: null, answer: Output]
  | readonly [error: Errors | LibraryError, answer: undefined]

/**
 * How a call ended, without a rejection.
 *
 * @returns a promise that never rejects
 * @example
 * const [error, order] = await safe(client.buy({ item: 'book' }))
 * if (error?.code === 'sold_out') console.log(`${error.data.left} left`)
 */
export async function safe<Output, Errors = never>(
  answer: Answer<Output, Errors> | Promise<Output>,
): Promise<SafeResult<Output, Errors>> {
  try {
    return [null, await answer]
  } catch (error) {
    return [asRpcError(error) as LibraryError, undefined]
  }
}

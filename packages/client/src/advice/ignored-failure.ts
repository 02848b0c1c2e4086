import { asRpcError, type RpcError, startTimeout } from '@token-socket/protocol'

/** Failures that the end of a connection or of a call brings, and that programs may well ignore. */
const EXPECTED: ReadonlySet<string> = new Set(['aborted', 'connection_lost', 'ended', 'timeout'])

/**
 * Reports the failure of a promise that nothing has looked at by then. `await`, `then`, and what is built on them read a
 * promise's `constructor`: that is how a look is noticed. The promise behaves as ever.
 */
export function reportIgnoredFailure(promise: Promise<unknown>, report: (error: RpcError) => void): void {
  let isLookedAt = false
  promise.catch((cause: unknown) => {
    const error = asRpcError(cause)
    if (!EXPECTED.has(error.code)) startTimeout(0, () => isLookedAt || report(error))
  })
  Object.defineProperty(promise, 'constructor', {
    configurable: true,
    get() {
      isLookedAt = true
      return Promise
    },
  })
}

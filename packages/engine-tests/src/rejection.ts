import { RpcError } from '@token-socket/protocol'

/**
 * Returns the RpcError that a promise rejects with.
 * @throws if it resolves, or rejects with anything else
 */
export async function rejection(promise: Promise<unknown>): Promise<RpcError> {
  const outcome = await promise.then(
    (data) => ({ data }),
    (error: unknown) => ({ error }),
  )
  if ('error' in outcome && RpcError.is(outcome.error)) return outcome.error
  throw new Error('expected a rejection with an RpcError', { cause: outcome })
}

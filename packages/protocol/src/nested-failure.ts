import { textOfNested } from './error-texts.js'
import { RpcError } from './errors.js'
import { readForeign } from './read-foreign.js'

/** Where an error holds the name of the call that failed with it. No data of a peer's can set it. */
const FAILED_CALL = Symbol.for('@token-socket/failedCall')

type Failure = RpcError & { [FAILED_CALL]?: string }

/**
 * Notes which call failed with an error, unless it is noted already. @returns the same error
 * @param name the function's; empty for another request
 */
export function callFailure(error: RpcError, name = ''): RpcError {
  const failure: Failure = error
  failure[FAILED_CALL] ??= name
  return error
}

/**
 * What a function's caller gets of an error. The failure of a call that the function made itself says nothing about the
 * caller's own call: it becomes `nested_failed`, whose data names the call and its code. Every other error stays as it is.
 * @param name the function's
 */
export function forCaller(error: unknown, name?: string): unknown {
  const nested = readForeign(() => {
    const { [FAILED_CALL]: called, code } = Object(error) as Failure
    if (called === undefined) return undefined
    const data = { code, function: called || undefined }
    return new RpcError('nested_failed', textOfNested(code, called, name), data, error)
  })
  return nested ?? error
}

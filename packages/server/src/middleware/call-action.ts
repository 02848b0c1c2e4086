import { type Action, decodeError, encodeError, RpcError } from '@token-socket/protocol'

/** What a function gets beside its callback. */
export interface ActionArguments {
  readonly before: readonly unknown[]
  readonly after: readonly unknown[]
  /** Receives the error that the callback was given, as it was given, before the promise rejects. */
  refused(error: unknown): void
  /** The function answers by its callback, later or never. */
  awaited(): void
}

/**
 * Calls a function of the application, which answers as to an RpcPeer: by what it returns or resolves, or by its callback.
 * @returns its answer. Rejects with what it throws, or with an RpcError that says what its callback was given
 */
export function callAction(action: Action, args: ActionArguments): Promise<unknown> {
  const { before, after, refused, awaited } = args
  return new Promise((resolve, reject) => {
    let hasAnswered = false
    const callback = (error?: unknown, data?: unknown) => {
      hasAnswered = true
      if (!error) return resolve(data)
      try {
        const rejection = RpcError.is(error) ? error : decodeError(encodeError(error))
        refused(error)
        reject(rejection)
      } catch (cause) {
        // Reading the error threw, maybe on a timer of the handler's own, where no caller could catch it.
        reject(cause)
      }
    }
    const answersByCallback = action.length > before.length
    const result = action(...before, callback, ...after)
    if (result !== undefined || !answersByCallback) resolve(result)
    else if (!hasAnswered) awaited()
  })
}

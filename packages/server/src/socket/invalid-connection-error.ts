import { RpcError } from '@token-socket/protocol'

/**
 * There is no such connection, or not any longer: nothing was sent. Its `code` is `not_connected`.
 */
export class InvalidConnectionError extends RpcError {
  override readonly name = 'InvalidConnectionError'

  /** @param cause the error of another node. @default none */
  constructor(cause?: unknown) {
    super('not_connected', undefined, undefined, cause)
  }
}

import type { CallContext } from '@token-socket/protocol'
import type { ServerSocket, SocketAuth } from '@token-socket/server'
import type { Errors } from '../declared-errors.js'

/** The settings of all calls of an operation. */
export interface CalledOperation {
  readonly name: string
  readonly errors: Errors
  /** The functions that call a socket's client. */
  clientOf(socket: ServerSocket): object
}

/** One call, for the handler of its operation. Costly parts are created when they are read. */
export class HandlerCall implements CallContext {
  readonly socket: ServerSocket
  readonly #operation: CalledOperation
  readonly #call: CallContext

  constructor(operation: CalledOperation, socket: ServerSocket, call: CallContext) {
    this.socket = socket
    this.#operation = operation
    this.#call = call
  }

  get name(): string {
    return this.#operation.name
  }

  get auth(): SocketAuth {
    return this.socket.auth
  }

  get deadline(): number {
    return this.#call.deadline
  }

  get signal(): AbortSignal {
    return this.#call.signal
  }

  get errors(): Errors {
    return this.#operation.errors
  }

  get client(): object {
    return this.#operation.clientOf(this.socket)
  }
}

/** One call, for middleware. */
export class MiddlewareCall extends HandlerCall {
  /** The handler's input. */
  input: unknown
}

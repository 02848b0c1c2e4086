import type { CallContext } from '@token-socket/protocol'
import type { ServerSocket, SocketAuth } from '@token-socket/server'
import type { ClientOperations, ServerOperations } from '../contract.js'
import type { Calls, ErrorFactories, Returned } from '../operation-types.js'
import type { ProcedureMark, ReceivedInput } from '../procedure.js'

/** The context of a handler, in addition to its input. */
export interface HandlerContext<C, P> extends CallContext {
  /** The result of `authentication`. */
  readonly auth: SocketAuth
  /** The caller's socket. */
  readonly socket: ServerSocket
  /** Creates the operation's declared errors, to be thrown. */
  readonly errors: ErrorFactories<P>
  /** Calls the caller's own operations. */
  readonly client: Calls<ClientOperations<C>>
}

/** The function of an operation. */
export type OperationHandler<C, P> = (
  input: ReceivedInput<P>,
  context: HandlerContext<C, P>,
) => Returned<P> | Promise<Returned<P>>

type HandlerTree<C, T> = {
  readonly [K in keyof T]: T[K] extends ProcedureMark ? OperationHandler<C, T[K]> : HandlerTree<C, T[K]>
}

/**
 * The functions of all operations that clients call. (Conditional, so that the compiler does not
 * try to infer the contract from the functions, which takes it more time than everything else
 * here.)
 */
export type Handlers<C> = ServerOperations<C> extends infer Operations ? HandlerTree<C, Operations> : never

import type { CallContext } from '@token-socket/protocol'
import type { RemoteClient, SocketAuth } from '@token-socket/server'
import type { ClientOperations, ServerOperations } from '../contract.js'
import type { Calls, ErrorFactories, Returned } from '../operation-types.js'
import type { InputSchema, Procedure } from '../procedure.js'
import type { Received } from '../schema.js'

/** What a handler gets besides its input. */
export interface HandlerContext<C, P> extends CallContext {
  /** What `authentication` returned. */
  readonly auth: SocketAuth
  /** The caller's socket. */
  readonly socket: RemoteClient
  /** Makes the operation's declared errors, to be thrown. */
  readonly errors: ErrorFactories<P>
  /** Calls the caller's own operations. */
  readonly client: Calls<ClientOperations<C>>
}

/** The function of an operation. */
export type OperationHandler<C, P> = (
  input: Received<InputSchema<P>>,
  context: HandlerContext<C, P>,
) => Returned<P> | Promise<Returned<P>>

type HandlerTree<C, T> = {
  readonly [K in keyof T]: T[K] extends Procedure ? OperationHandler<C, T[K]> : HandlerTree<C, T[K]>
}

/** The functions of all operations that clients call. */
export type Handlers<C> = HandlerTree<C, ServerOperations<C>>

/**
 * The server's side of a contract.
 *
 * @module @token-socket/contract/server
 */
export type { HandlerMiddleware, WrappedHandlerCall } from './handler-middleware.js'
export type { HandlerContext, Handlers, OperationHandler } from './handlers.js'
export { type ImplementOptions, implement } from './implement.js'
export { typed } from './typed.js'
export type {
  OperationNamed,
  OperationNames,
  TypedOptions,
  TypedPublicationOptions,
  TypedPublisher,
  TypedServer,
} from './typed-server.js'

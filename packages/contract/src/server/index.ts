/** The server's side of a contract. */
export type { HandlerContext, Handlers, OperationHandler } from './handlers.js'

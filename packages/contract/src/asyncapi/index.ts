/**
 * Contracts as AsyncAPI documents, and the other way.
 *
 * @module @token-socket/contract/asyncapi
 */
export type {
  AsyncApiChannel,
  AsyncApiDocument,
  AsyncApiMessage,
  AsyncApiOperation,
  JsonObject,
  MessageNotes,
  OperationKind,
  Reference,
} from './document.js'
export { type FromAsyncApiOptions, fromAsyncApi } from './from-asyncapi.js'
export type { SchemaConverter } from './json-schema.js'
export { ModelError } from './model-error.js'
export { MissingPackageError } from './optional-package.js'
export { type AsyncApiOptions, toAsyncApi } from './to-asyncapi.js'

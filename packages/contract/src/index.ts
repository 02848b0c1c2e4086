/**
 * One typed contract for both ends of a TokenSocket.
 *
 * @module @token-socket/contract
 */
export type { ChannelDefinition, ChannelDefinitions, ChannelParameters } from './channel-definitions.js'
export {
  type ChannelsOf,
  type ClientOperations,
  type Contract,
  defineContract,
  type ServerOperations,
} from './contract.js'
export type { ContractDefinition } from './contract-definition.js'
export type {
  Answer,
  Call,
  Calls,
  DeclaredError,
  ErrorFactories,
  IsOneWay,
  Result,
  Returned,
} from './operation-types.js'
export type { Operations } from './operations.js'
export {
  type ErrorSchemas,
  type ErrorsOf,
  type Procedure,
  type ProcedureDefinition,
  type ProcedureMark,
  procedure,
  type ReceivedInput,
  type ReceivedOutput,
  type SentInput,
  type SentOutput,
  type WithoutAnswer,
} from './procedure.js'
export { type Received, type Schema, type Sent, type } from './schema.js'
export type { Issue } from './validation.js'

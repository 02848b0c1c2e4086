/**
 * The client's side of a contract.
 *
 * @module @token-socket/contract/client
 */
export { connect, connectCalls } from './connect.js'
export type { ConnectWait } from './connection-members.js'
export type {
  AnyChannelMessage,
  ChannelMember,
  ChannelMessage,
  ContractChannel,
  ContractChannelEvents,
} from './contract-channel.js'
export type {
  Action,
  ActionContext,
  Actions,
  CallsClient,
  ChannelArguments,
  ChannelMembers,
  ClientMembers,
  ContractClient,
  Listen,
  Listeners,
  Unlisten,
} from './contract-client.js'
export type { AnyMessage } from './incoming-calls.js'
export type { ConnectionUrl, ConnectOptions, ContractAuthentication, TypedOptions } from './options.js'
export { type LibraryError, type SafeResult, safe } from './safe.js'
export { typed, typedCalls } from './typed.js'

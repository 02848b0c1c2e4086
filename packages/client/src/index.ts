/**
 * The client of TokenSocket: a socket that calls, is called, and subscribes to channels.
 *
 * @module @token-socket/client
 */
export {
  type Action,
  type CallContext,
  type CallOptions,
  CLOSE_CODES,
  type CloseReason,
  type Controller,
  ERRORS,
  type ErrorCode,
  type GapReason,
  type Member,
  RpcError,
} from '@token-socket/protocol'
export type { ClientAction, ClientController } from './calls/client-controller.js'
export type {
  CallAnswer,
  CallArguments,
  FunctionAnswer,
  FunctionData,
  FunctionNamed,
  FunctionNames,
  NotifyArguments,
  UnknownFunctions,
} from './calls/remote-functions.js'
export type { Binding, Handler } from './channels/bindings.js'
export type { Channel, ChannelEvents, ChannelOptions, ChannelToken, LeaveReason } from './channels/channel.js'
export type { TokenSocketEvents } from './channels/events.js'
export type { HistoryQuery, PublicationDetails, PublishOptions, Receipt } from './channels/publications.js'
export { TokenSocket } from './client.js'
export type { ReadyOptions } from './connection/ready-timeout.js'
export type { Callback } from './runtime/callback.js'
export type {
  AuthenticationData,
  GivenUrl,
  GiveUrl,
  Limits,
  Logger,
  LogLevel,
  TokenSocketOptions,
  TransportName,
} from './settings/options.js'
export type { Session, SocketStatus, StateDetails } from './settings/socket-status.js'
export {
  CONNECTION_MOVES,
  type ConnectionEvent,
  type ConnectionState,
  type Moves,
  SUBSCRIPTION_MOVES,
  type SubscriptionEvent,
  type SubscriptionState,
} from './settings/states.js'
export type { WebSocketLike } from './settings/websocket-like.js'

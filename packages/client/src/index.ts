/** The client of TokenSocket: a socket that calls, is called, and subscribes to channels. */
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
export type { Binding, Handler } from './bindings.js'
export type { Callback } from './callback.js'
export type { Channel, ChannelEvents, ChannelOptions, ChannelToken, LeaveReason } from './channel.js'
export { TokenSocket } from './client.js'
export type { ClientAction, ClientController } from './client-controller.js'
export type { Session, SocketStatus, StateDetails, TokenSocketEvents } from './events.js'
export type {
  AuthenticationData,
  GivenUrl,
  GiveUrl,
  Limits,
  Logger,
  LogLevel,
  TokenSocketOptions,
  TransportName,
} from './options.js'
export type { HistoryQuery, PublicationDetails, PublishOptions, Receipt } from './publications.js'
export type { ReadyOptions } from './ready-timeout.js'
export type {
  CallAnswer,
  CallArguments,
  FunctionAnswer,
  FunctionData,
  FunctionNamed,
  FunctionNames,
  NotifyArguments,
  UnknownFunctions,
} from './remote-functions.js'
export {
  CONNECTION_MOVES,
  type ConnectionEvent,
  type ConnectionState,
  type Moves,
  SUBSCRIPTION_MOVES,
  type SubscriptionEvent,
  type SubscriptionState,
} from './states.js'
export type { WebSocketLike } from './transports/socket-connection.js'

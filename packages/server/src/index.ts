/**
 * The server of TokenSocket: authenticated sockets on an Express application.
 *
 * @module @token-socket/server
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
  type Member,
  RpcError,
} from '@token-socket/protocol'
export type { AuthenticationCallback, AuthenticationFunction } from './authentication/authentication-call.js'
export type { ConnectAuthentication } from './authentication/connect-authentication.js'
export type { Authentication } from './authentication/token-route.js'
export { ALGORITHMS, type TokenKey } from './authentication/tokens.js'
export type { PublishFilter } from './channels/hub.js'
export type { RuleAnswer } from './channels/rule-asker.js'
export type {
  ChannelEventRule,
  ChannelHistory,
  ChannelRule,
  ChannelRuleTable,
  PublishPermission,
  PublishRate,
} from './channels/rule-table.js'
export type {
  DisconnectDetails,
  PublishedDetails,
  SocketEventArguments,
  UnsubscribeReason,
} from './channels/socket-events.js'
export type { SocketAuth, SocketData } from './claims/socket-data.js'
export type { VetoCallback, VetoListener } from './claims/vetoes.js'
export type { AuthorizationSelector, RevocationSelector } from './cluster/authorization-targets.js'
export type { NodeEventDetails, NodeEventListener } from './cluster/node-events.js'
export type { SocketConditions, SocketDataValue, SocketSelector } from './cluster/selectors.js'
export type { SocketInfo, SocketPage, SocketPageOptions } from './cluster/socket-pages.js'
export type { Cluster, ClusterCount, ClusterSubscription } from './cluster.js'
export type {
  Broker,
  BrokerListener,
  Draft,
  Engine,
  EngineHealth,
  EvictionListener,
  Health,
  History,
  HistoryPage,
  HistoryQuery,
  MissingAnswer,
  NodeAnswer,
  NodeAnswers,
  NodeAskOptions,
  NodeCommand,
  Nodes,
  PageQuery,
  Position,
  Presence,
  PresenceEntry,
  PresenceEvent,
  PresenceMember,
  PresenceSnapshot,
  Publication,
  PublishOptions,
  RateGrant,
  RateRequest,
  Rates,
  Receipt,
  Retention,
  Ticket,
  TicketOwner,
  Tickets,
} from './engine/engine.js'
export { newEpoch, POSITION_TTL } from './engine/epoch.js'
export { EventIds, receiptOf } from './engine/event-ids.js'
export { HealthMonitor } from './engine/health-monitor.js'
export { IDEMPOTENCY } from './engine/idempotency.js'
export { LocalDelivery } from './engine/local-delivery.js'
export { MemoryEngine, type MemoryEngineOptions } from './engine/memory-engine.js'
export { MemoryPresence } from './engine/memory-presence.js'
export {
  newNodeId,
  SingleNode,
  /** @deprecated The earlier name of `SingleNode`. */
  SingleNode as SoleNodes,
} from './engine/single-node.js'
export type { Routes } from './http/express-routes.js'
export type { Origins } from './http/origins.js'
export type { ServerHealth } from './http/server-health.js'
export {
  callTimeoutOf,
  checkPresence,
  isRecorded,
  localSocket,
  recordId,
  reportFailure,
  type SocketOrServer,
} from './library-functions.js'
export type {
  Middleware,
  MiddlewareContext,
  MiddlewareContexts,
  MiddlewareType,
} from './middleware/contexts.js'
export type { LimitOptions, LimitPreset, LimitSettings } from './options/limit-options.js'
export type { Limits } from './options/limits.js'
export {
  badOption,
  checkNumber,
  checkOptions,
  checkWait,
  type KnownOptions,
  warnOfUnknown,
} from './options/option-checks.js'
export type { ShutdownOptions } from './options/shutdown-options.js'
export type {
  AnswerCallback,
  Handler,
  ServerController,
  TokenSocketServerOptions,
} from './options.js'
export { type Publisher, type PublisherOptions, publisher } from './publisher.js'
export { consoleLogger, type Logger } from './runtime/logger.js'
export { safeLogger } from './runtime/safe-logger.js'
export { TokenSocketServer } from './server.js'
export type { MessageData, MessageListener } from './server-emitter.js'
export type { TokenSocketServerEvents, Veto } from './server-events.js'
export type { ConnectionMeta } from './socket/connected-socket.js'
export type { DisconnectReason } from './socket/disconnect-reasons.js'
export type { FunctionRule, FunctionRules } from './socket/function-timeouts.js'
export { InvalidConnectionError } from './socket/invalid-connection-error.js'
export type { RpcCallback } from './socket/rpc-callback.js'
export type { SendAck, SendOptions } from './socket/send-options.js'
export type {
  PublicationOptions,
  /** @deprecated The earlier name of `ServerSocket`. */
  ServerSocket as RemoteClient,
  ServerSocket,
  ServerSocket as SocketConnection,
} from './socket/server-socket.js'
export type { PerMessageDeflate, PerMessageDeflateSettings } from './transports/per-message-deflate.js'
export type { SessionBindingName } from './transports/session-binding.js'
export type { TransportName } from './transports/transport-names.js'

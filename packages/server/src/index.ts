/** The server of TokenSocket: authenticated sockets on an Express application. */
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
export type { AuthenticationCallback } from './authentication/authentication-call.js'
export type { ConnectAuthentication } from './authentication/connect-authentication.js'
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
  UnsubscribeReason,
} from './channels/socket-events.js'
export type { AuthorizationSelector, RevocationSelector } from './cluster/authorization-targets.js'
export type { NodeEventDetails, NodeEventListener } from './cluster/node-events.js'
export type { SocketConditions, SocketDataValue, SocketSelector } from './cluster/selectors.js'
export type { SocketInfo, SocketPage, SocketPageOptions } from './cluster/socket-pages.js'
export type { Cluster, ClusterCount, ClusterSubscription } from './cluster.js'
export { IDEMPOTENCY } from './engine/idempotency.js'
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
} from './engine.js'
export { newEpoch, POSITION_TTL } from './epoch.js'
export { EventIds, receiptOf } from './event-ids.js'
export type { Routes } from './express-routes.js'
export { HealthMonitor } from './health-monitor.js'
export type { PublishFilter } from './hub.js'
export {
  callTimeoutOf,
  checkPresence,
  isRecorded,
  localSocket,
  recordId,
  reportFailure,
  type SocketOrServer,
} from './library-functions.js'
export type { LimitOptions, LimitPreset, LimitSettings } from './limit-options.js'
export type { Limits } from './limits.js'
export { LocalDelivery } from './local-delivery.js'
export { consoleLogger, type Logger } from './logger.js'
export { MemoryEngine, type MemoryEngineOptions } from './memory-engine.js'
export { MemoryPresence } from './memory-presence.js'
export type {
  Middleware,
  MiddlewareContext,
  MiddlewareContexts,
  MiddlewareType,
} from './middleware/contexts.js'
export { badOption, checkNumber, checkOptions, checkWait, warnOfUnknown } from './option-checks.js'
export type {
  AnswerCallback,
  Handler,
  ServerController,
  TokenSocketServerOptions,
} from './options.js'
export type { Origins } from './origins.js'
export { type Publisher, type PublisherOptions, publisher } from './publisher.js'
export type { PublicationOptions, RemoteClient, RemoteClient as SocketConnection } from './remote-client.js'
export { safeLogger } from './runtime/safe-logger.js'
export { TokenSocketServer } from './server.js'
export type { MessageData, MessageListener } from './server-emitter.js'
export type { TokenSocketServerEvents, Veto } from './server-events.js'
export type { ServerHealth } from './server-health.js'
export type { ShutdownOptions } from './shutdown-options.js'
export type { ConnectionMeta } from './socket/connected-socket.js'
export type { DisconnectReason } from './socket/disconnect-reasons.js'
export type { FunctionRule, FunctionRules } from './socket/function-timeouts.js'
export { InvalidConnectionError } from './socket/invalid-connection-error.js'
export type { RpcCallback } from './socket/rpc-callback.js'
export type { SendAck, SendOptions } from './socket/send-options.js'
export type { SocketAuth, SocketData } from './socket/socket-data.js'
export { newNodeId, SoleNodes } from './sole-nodes.js'
export type { Authentication } from './token-route.js'
export { ALGORITHMS, type TokenKey } from './tokens.js'
export type { PerMessageDeflate, PerMessageDeflateSettings } from './transports/per-message-deflate.js'
export type { SessionBindingName } from './transports/session-binding.js'
export type { TransportName } from './transports/transport-names.js'
export type { VetoCallback, VetoListener } from './vetoes.js'

/**
 * The wire of TokenSocket, and what is the same at both of its ends.
 *
 * @module @token-socket/protocol
 */
export { abortReason, abortWith, onAbort, throwIfAborted } from './abort-signal.js'
export type { CallContext, CallEnd, CancelReason } from './call-context.js'
export { isAbortError } from './call-hooks.js'
export { type CallOptions, checkCallOptions, checkTimeout } from './call-options.js'
export {
  CLOSE_CODES,
  CLOSE_TIMEOUT,
  type CloseReason,
  GOING_AWAY,
  INVALID_TOKEN_CODE,
  isAuthorizationOver,
  shouldReconnect,
} from './close-codes.js'
export {
  decodeClientMessage,
  decodeData,
  decodeServerMessage,
  EncodedData,
  type EncodedHistory,
  type EncodedPublication,
  encodeClientMessage,
  encodeData,
  encodeHistory,
  encodePublication,
  encodeServerMessage,
  parseJson,
} from './codec.js'
export type { Connection, ConnectionListener } from './connection.js'
export { type Action, type Controller, findAction, isPlain, KEEPS_UNDEFINED } from './controller.js'
export { ERRORS, type ErrorCode, type Shape } from './error-texts.js'
export {
  asRpcError,
  badOption,
  decodeError,
  type ErrorSubject,
  encodeError,
  encodeThrown,
  errorFrom,
  limitError,
  /** @deprecated The earlier name of `limitError`. */
  limitError as refusal,
  notificationError,
  type PlainError,
  plainErrorOf,
  plainRefusal,
  RpcError,
  type Subject,
  type WireError,
  wireError,
  withSubject,
} from './errors.js'
export { badField, FrameError, sendable } from './frame.js'
export { findJsonLosses, type JsonLoss } from './json-losses.js'
export { markHandled } from './mark-handled.js'
export type * from './messages.js'
export {
  BUILT_IN,
  CAPABILITIES,
  type Capability,
  type LimitedName,
  NAME_LIMITS,
  PROTOCOL_VERSION,
} from './names.js'
export { nearestName } from './nearest-name.js'
export { callFailure, forCaller } from './nested-failure.js'
export { isTooComplex, NESTING_LIMIT, PARTS_LIMIT } from './nesting.js'
export { type PendingCallLimits, PendingCalls } from './pending-calls.js'
export { readForeign } from './read-foreign.js'
export { isPassing, REPEATABLE, RETRY_DELAY, type RetryAdvice, retryOf } from './retry-advice.js'
export type { AnswerForm, CallAround, IncomingCall, RpcListener } from './rpc-listener.js'
export { type RpcLimits, RpcPeer } from './rpc-peer.js'
export {
  MAX_TIMEOUT,
  /** @deprecated The earlier name of `MAX_TIMEOUT`. */
  MAX_TIMEOUT as LONGEST_WAIT,
  startTimeout,
  /** @deprecated The earlier name of `startTimeout`. */
  startTimeout as startTimer,
} from './timeout.js'
export {
  createTimeouts,
  isNever,
  TimeoutScheduler,
  /** @deprecated The earlier name of `TimeoutScheduler`. */
  TimeoutScheduler as Deadlines,
  type Timeouts,
} from './timeout-scheduler.js'

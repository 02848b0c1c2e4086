/**
 * Closes TokenSocket's sockets when a session ends somewhere else.
 *
 * @module @token-socket/sign-out
 */
export {
  type BackChannelLogoutOptions,
  backChannelLogout,
  type LogoutClaims,
} from './back-channel-logout.js'
export { type ExpressSessionOptions, expressSession } from './express-session.js'
export { RequestError, type SignOutRequest } from './request-body.js'
export type { SessionRecord, SessionStore, StoreCallback } from './session-store.js'
export { type SecurityEvent, type SharedSignalsOptions, sharedSignals } from './shared-signals.js'
export type { FailureListener, SignOutOrder, SignOutSockets, Who } from './sign-out-sockets.js'
export type { Subject } from './subject.js'
export type { SignOutHandler } from './token-route.js'
export { type KeySet, type TokenClaimSet, TokenError, type TokenOptions } from './token-verifier.js'

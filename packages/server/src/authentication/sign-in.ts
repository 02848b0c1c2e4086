import { createTimeouts } from '@token-socket/protocol'
import type { SocketEvents } from '../channels/socket-events.js'
import type { Engine } from '../engine/engine.js'
import type { Limits } from '../options/limits.js'
import type { Logger } from '../runtime/logger.js'
import { RequestLog } from '../runtime/request-log.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import type { Turns } from '../runtime/turns.js'
import { ClosingLog } from '../socket/closings.js'
import { wasClean } from '../socket/disconnect-reasons.js'
import { Expiries } from '../socket/expiries.js'
import { type FunctionRules, FunctionTimeouts } from '../socket/function-timeouts.js'
import { MessageLimits } from '../socket/message-limits.js'
import type { OpeningOptions } from '../socket/opening-request.js'
import { Flusher } from '../socket/outbox.js'
import type { ServerSocketOwner } from '../socket/server-socket.js'
import { sizesOf } from '../transports/message-limit.js'
import {
  type ConnectAuthentication,
  ConnectAuthenticator,
  type ConnectAuthenticatorOptions,
} from './connect-authentication.js'
import { Handshakes } from './handshake.js'
import { Refreshes, type RefreshesOwner } from './refreshes.js'
import { type AdmissionOptions, SocketAuthenticator } from './socket-authenticator.js'
import { SocketCounts } from './socket-counts.js'

/** Dependencies of {@link makeHandshakes}. */
export interface SignInParts
  extends Pick<AdmissionOptions, 'tokenAuthenticator' | 'hub' | 'joining' | 'newSid' | 'watch' | 'vetoes'>,
    Pick<ConnectAuthenticatorOptions, 'trusts' | 'revocations' | 'enforceExpiry'>,
    Pick<RefreshesOwner, 'authorizations'>,
    OpeningOptions,
    Pick<ServerSocketOwner, 'channels' | 'findAction' | 'middleware' | 'failed' | 'development'>,
    Pick<ServerSocketOwner, 'plainErrors' | 'channelsAsObject'> {
  readonly limits: Limits
  readonly engine: Pick<Engine, 'rates' | 'nodes'>
  readonly logger: Logger
  readonly log: ThrottledLog
  /** Authenticates connections without a token. @default none */
  readonly connectAuthentication?: ConnectAuthentication | undefined
  /** How long calls may take. */
  readonly functions: FunctionRules
  /** Whether each answer is logged. */
  readonly debug: boolean
  readonly pingInterval: number
  /** Reports sockets that connect and disconnect. */
  readonly events: Pick<SocketEvents, 'connected' | 'disconnected' | 'message'>
  readonly throttle: TurnThrottle
  readonly turns: Turns
  /** Milliseconds that a connection has to send its token; `undefined` for no limit. */
  authTimeout(): number | undefined
}

/** Creates the handshakes, which authenticate connections and create their sockets. */
export function makeHandshakes(parts: SignInParts): Handshakes {
  const { limits, logger, log, throttle, failed, connectAuthentication } = parts
  const closings = new ClosingLog(logger, log)
  const connects = connectAuthentication && new ConnectAuthenticator({ ...parts, connectAuthentication })
  const socketAuthenticator = new SocketAuthenticator({
    ...parts,
    connects,
    counts: new SocketCounts(limits.socketsPerUser),
    heartbeat: parts.pingInterval,
    sizes: sizesOf(limits),
    connected: (...args) => parts.events.connected(...args),
    owner: socketOwner(parts, closings),
  })
  return new Handshakes({
    authTimeout: parts.authTimeout,
    limits,
    takesRequests: connects !== undefined,
    throttle,
    authenticate: (...args) => socketAuthenticator.authenticate(...args),
    failed,
    refused: (closing) => closings.stranger(closing),
    left: (...how) => closings.left(...how),
  })
}

/** Returns what all sockets of a server share. */
function socketOwner(parts: SignInParts, closings: ClosingLog): ServerSocketOwner {
  const { limits, logger, log, debug, turns, events, throttle } = parts
  const { findAction, middleware, channels, failed, development, plainErrors, channelsAsObject } = parts
  return {
    flusher: new Flusher(limits.readTimeout, turns),
    turns,
    expiries: new Expiries(throttle),
    refreshes: new Refreshes(parts),
    onslow: closings.slow,
    timeouts: createTimeouts(),
    functions: new FunctionTimeouts(parts.functions, limits.callTimeout),
    limits: { ...limits, timeout: limits.callTimeout },
    messageLimits: MessageLimits.of(limits, parts.engine),
    findAction,
    ...(middleware && { middleware }),
    channels,
    channelsAsObject,
    plainErrors,
    failed,
    development,
    closed: (closing) => closings.socket(closing),
    message: (...args) => events.message(...args),
    ended: (socket, { code, reason, ms }) =>
      events.disconnected(socket, reason, { code, wasClean: wasClean(code), duration: ms }),
    requests: new RequestLog(logger, log, debug),
  }
}

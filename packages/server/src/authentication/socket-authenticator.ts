import {
  type AuthMessage,
  CAPABILITIES,
  type Capability,
  PROTOCOL_VERSION,
  RpcError,
  type SessionInfo,
  type SizeLimits,
} from '@token-socket/protocol'
import { logRefusals } from '../channels/automatic-refusals.js'
import type { Hub } from '../channels/hub.js'
import type { Refusal } from '../claims/vetoes.js'
import { isThenable } from '../runtime/isolated.js'
import type { Logger } from '../runtime/logger.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { refusalOf } from '../runtime/thrown-values.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import { lifetimeOf } from '../socket/authorization-change.js'
import type { BufferedConnection } from '../socket/buffered-connection.js'
import { ServerSocket, type ServerSocketOwner } from '../socket/server-socket.js'
import type { AuthorizationLog } from './authorization-log.js'
import type { ConnectAuthenticator } from './connect-authentication.js'
import { DevelopmentClient } from './development-client.js'
import type { JoiningSocket, JoiningSockets } from './joining-sockets.js'
import type { PendingConnection } from './pending-connection.js'
import type { SignInVetoes } from './sign-in-vetoes.js'
import type { SocketCounts } from './socket-counts.js'
import type { AuthenticatedToken, TokenAuthenticator } from './token-authenticator.js'

/** What {@link SocketAuthenticator} needs. */
export interface AdmissionOptions {
  readonly tokenAuthenticator: Pick<TokenAuthenticator, 'connect'>
  /** Knows what was revoked, over all nodes. @default nothing is */
  readonly authorizations?: Pick<AuthorizationLog, 'refuses'> | undefined
  /** Judges connections without a token. @default none: they are refused */
  readonly connects?: Pick<ConnectAuthenticator, 'authenticate'> | undefined
  readonly hub: Hub
  readonly counts: SocketCounts
  readonly logger: Logger
  readonly log: Pick<ThrottledLog, 'write'>
  readonly joining: JoiningSockets
  /** What sign-ins pass that listeners have decided about. */
  readonly throttle: Pick<TurnThrottle, 'wait'>
  /** Milliseconds within which a client hears at least a heartbeat. */
  readonly heartbeat: number
  /** What a client is told of the sizes that the server takes. */
  readonly sizes: SizeLimits
  /** An id for a new socket, unique over all nodes. */
  newSid(): string
  /** What the new sockets need of the server. */
  readonly owner: ServerSocketOwner
  /**
   * Sees to it that one day it is closed if its client vanishes.
   * @returns a function that undoes it; nothing if its transport notices that
   */
  watch(socket: ServerSocket): (() => void) | undefined
  /**
   * A socket has been let in. It gets its first message after this.
   * @param refused a listener refuses it after all, at once or later
   */
  connected?(socket: ServerSocket, refused: (error: RpcError) => void): void
  /** The `authentication` listeners, and the middleware around them. */
  readonly vetoes: Pick<SignInVetoes, 'decide'>
}

/** A connection that has brought its token. */
interface Newcomer {
  readonly connection: BufferedConnection
  readonly arrival: PendingConnection
  readonly joining: JoiningSocket
}

/** Lets connections in that bring a good token. */
export class SocketAuthenticator {
  readonly #options: AdmissionOptions
  readonly #owner: ServerSocketOwner
  /** Undoes `watch`, for the few sockets that need it. */
  readonly #watched = new Map<ServerSocket, () => void>()

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#owner = { ...options.owner, gone: (socket) => this.#gone(socket) }
  }

  /**
   * Takes what the token stands for, asks the `authentication` listeners, and makes the socket.
   * @param arrival is adopted before listeners are asked: they may call the client before it is let
   *   in
   * @throws RpcError `invalid_token` (why is for the log only), or what a listener refused with
   */
  authenticate(
    message: AuthMessage,
    connection: BufferedConnection,
    arrival: PendingConnection,
  ): Promise<void> {
    return this.#options.joining.run((joining, leave) => {
      arrival.onclosed(leave)
      return this.#admit(message, { connection, arrival, joining })
    })
  }

  async #admit(message: AuthMessage, { connection, arrival, joining }: Newcomer): Promise<void> {
    const { ip, host, ...identity } = await this.#authenticate(message, connection, arrival)
    // Who is cut off meanwhile is not looked for among connections that have ended.
    if (arrival.isClosed) return
    const counts = message.version !== undefined
    const owner = this.#owner
    const Client = owner.development ? DevelopmentClient : ServerSocket
    const sid = this.#options.newSid()
    const can = counts ? sharedList(message.can) : undefined
    const socket = new Client({ sid, ip, host, counts, can, ...identity }, connection, owner)
    arrival.adopt(socket.listener)
    joining.identify(socket)
    if (joining.isEnded) return
    this.#enter(socket)
    if (socket.isClosed) return this.#gone(socket)
    const refusal = await this.#decide(socket)
    joining.check()
    if (joining.isEnded) return
    if (refusal) throw this.#refused(socket, refusalOf(refusal.error))
    if (socket.isClosed || arrival.isClosed) return
    // An order may have come after its token was looked at.
    if (this.#options.authorizations?.refuses(socket.authorization)) return socket.closeFor('revoked')
    // The legacy client does not answer all that it is asked.
    if (message.version !== undefined) this.#watch(socket)
    joining.admit()
    this.#options.hub.add(socket)
    this.#begin(socket, message.id)
    joining.settle(socket)
  }

  /** Whom the token stands for, or the upgrade request of a connection without one. */
  #authenticate(
    { token }: AuthMessage,
    { request }: BufferedConnection,
    arrival: PendingConnection,
  ): Promise<AuthenticatedToken> {
    const { tokenAuthenticator, connects } = this.#options
    if (token !== undefined) return tokenAuthenticator.connect(token)
    if (connects && request) return connects.authenticate(request, arrival)
    throw new RpcError('forbidden')
  }

  /**
   * What the listeners decide. Those that take their time are let in a few in each turn, however
   * many they decide about at once.
   */
  async #decide(socket: ServerSocket): Promise<Refusal | undefined> {
    const { vetoes, throttle } = this.#options
    const decided = vetoes.decide(socket, socket.auth)
    if (!isThenable(decided)) return decided
    const refusal = await decided
    await throttle.wait()
    return refusal
  }

  /** Lets a socket in, and tells listeners so before anything comes from it. @param id of its token's message */
  #begin(socket: ServerSocket, id: string): void {
    const { logger, log, connected } = this.#options
    const { sid, uid, transport } = socket
    socket.open(id, this.#sessionOf(socket))
    logger.debug({ sid, uid, transport }, 'a socket is ready')
    let isEarly = true
    connected?.(socket, (error) => this.#refuse(socket, error, isEarly ? id : undefined))
    isEarly = false
    if (socket.isClosed) return
    socket.autoSubscribe(logRefusals(log, socket))
  }

  /** A listener of `connected` refuses a socket. @param id of its token's message, if that has no answer yet */
  #refuse(socket: ServerSocket, error: RpcError, id: string | undefined): void {
    if (socket.isClosed) return
    const { sid, uid } = socket
    const line = 'a listener of connected refused a socket'
    this.#options.log.write('connected listener', ['info', { sid, uid, code: error.code }, line])
    socket.refuse(error, id)
  }

  #watch(socket: ServerSocket): void {
    const unwatch = this.#options.watch(socket)
    if (unwatch) this.#watched.set(socket, unwatch)
  }

  #gone(socket: ServerSocket): void {
    this.#watched.get(socket)?.()
    this.#watched.delete(socket)
    this.#options.counts.leave(socket)
  }

  /** @throws RpcError `too_many_sockets` */
  #enter(socket: ServerSocket): void {
    try {
      this.#options.counts.enter(socket)
    } catch (error) {
      const { uid } = socket
      const details = { uid, option: 'limits.socketsPerUser', code: 'too_many_sockets' }
      this.#options.log.write('too_many_sockets', ['info', details, 'a user has too many sockets'])
      throw error
    }
  }

  /** What the client is told when it is let in. The legacy client knows nothing of limits. */
  #sessionOf(socket: ServerSocket): SessionInfo {
    const { heartbeat, sizes } = this.#options
    const lifetime = lifetimeOf(socket.authorization)
    const more = socket.isLegacy ? {} : { can: CAPABILITIES, limits: sizes, ...lifetime }
    return { version: PROTOCOL_VERSION, sid: socket.sid, heartbeat, ...more, ...socket.identity() }
  }

  #refused({ sid, uid }: ServerSocket, error: RpcError): RpcError {
    const line = 'an authentication listener, or a middleware, refused a socket'
    this.#options.log.write('authentication listener', ['info', { sid, uid, code: error.code }, line])
    return error
  }
}

/** What a client can do. Most can do everything: their sockets share one list. */
function sharedList(can: readonly Capability[] | undefined): readonly Capability[] | undefined {
  return can?.length === CAPABILITIES.length ? CAPABILITIES : can
}

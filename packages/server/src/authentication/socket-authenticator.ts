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

/** Dependencies of {@link SocketAuthenticator}. */
export interface AdmissionOptions {
  readonly tokenAuthenticator: Pick<TokenAuthenticator, 'connect'>
  /** Knows what was revoked, over all nodes. @default nothing is revoked */
  readonly authorizations?: Pick<AuthorizationLog, 'refuses'> | undefined
  /** Authenticates connections without a token. @default none: they are refused */
  readonly connects?: Pick<ConnectAuthenticator, 'authenticate'> | undefined
  readonly hub: Hub
  readonly counts: SocketCounts
  readonly logger: Logger
  readonly log: Pick<ThrottledLog, 'write'>
  readonly joining: JoiningSockets
  /** Queues sign-ins that listeners have decided about. */
  readonly throttle: Pick<TurnThrottle, 'wait'>
  /** Milliseconds within which a client receives at least a heartbeat. */
  readonly heartbeat: number
  /** The sizes that the server accepts, for the client. */
  readonly sizes: SizeLimits
  /** Returns an id for a new socket, unique over all nodes. */
  newSid(): string
  /** Dependencies of the new sockets. */
  readonly owner: ServerSocketOwner
  /**
   * Watches a socket, so that it is closed if its client vanishes.
   * @returns a function that stops watching; nothing if the socket's transport detects this
   */
  watch(socket: ServerSocket): (() => void) | undefined
  /**
   * A socket was authenticated. It receives its first message after this.
   * @param refused a listener refuses it, at once or later
   */
  connected?(socket: ServerSocket, refused: (error: RpcError) => void): void
  /** The `authentication` listeners, and the middleware around them. */
  readonly vetoes: Pick<SignInVetoes, 'decide'>
}

/** A connection that has sent its token. */
interface Newcomer {
  readonly connection: BufferedConnection
  readonly arrival: PendingConnection
  readonly joining: JoiningSocket
}

/** Authenticates connections that send a valid token. */
export class SocketAuthenticator {
  readonly #options: AdmissionOptions
  readonly #owner: ServerSocketOwner
  /** Functions that stop watching, for the few sockets that need it. */
  readonly #watched = new Map<ServerSocket, () => void>()

  constructor(options: AdmissionOptions) {
    this.#options = options
    this.#owner = { ...options.owner, gone: (socket) => this.#gone(socket) }
  }

  /**
   * Takes the ticket or the claims of the token, asks the `authentication` listeners, and creates
   * the socket.
   * @param arrival gets the socket as its listener before the application's listeners are asked:
   *   they may call the client before it is authenticated
   * @throws RpcError `invalid_token` (its cause is only logged), or the refusal of a listener
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
    // Cutting a user off does not end connections that are closed already.
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
    // An order may have arrived after the token was checked.
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
   * Asks the listeners. If they take their time, a few sockets are authenticated in each turn,
   * however many they decide about at once.
   */
  async #decide(socket: ServerSocket): Promise<Refusal | undefined> {
    const { vetoes, throttle } = this.#options
    const decided = vetoes.decide(socket, socket.auth)
    if (!isThenable(decided)) return decided
    const refusal = await decided
    await throttle.wait()
    return refusal
  }

  /**
   * Authenticates a socket, and notifies listeners before anything arrives from it. @param id of
   * its token's message
   */
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

  /**
   * Handles the refusal of a `connected` listener. @param id of its token's message, if that has no
   * answer yet
   */
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

  /** Returns the session data for an authenticated client. The legacy client knows no limits. */
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

/** Returns a client's capabilities. Most clients have all of them: their sockets share one list. */
function sharedList(can: readonly Capability[] | undefined): readonly Capability[] | undefined {
  return can?.length === CAPABILITIES.length ? CAPABILITIES : can
}

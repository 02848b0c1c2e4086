import { randomBytes, randomUUID } from 'node:crypto'
import {
  type Action,
  type CallOptions,
  createTimeouts,
  findAction,
  type Member,
  type RpcError,
} from '@token-socket/protocol'
import { EventEmitter } from 'eventemitter3'
import type { RequestHandler } from 'express'
import { Admission } from './admission.js'
import { PositionProofs } from './channels/position-proofs.js'
import { Channels, type ChannelsOwner } from './channels.js'
import { ClientFiles } from './client-files.js'
import { Cluster, sidOf } from './cluster.js'
import type { HistoryPage, HistoryQuery, Receipt } from './engine.js'
import { ExpressRoutes } from './express-routes.js'
import type { TrustProxy } from './forwarded.js'
import { Handshakes } from './handshake.js'
import { HealthRoute } from './health-route.js'
import { Hub, type PublishFilter } from './hub.js'
import {
  type ResolvedOptions,
  resolveOptions,
  type ServerController,
  type TokenSocketServerOptions,
} from './options.js'
import { OriginRules } from './origins.js'
import { Flusher } from './outbox.js'
import { Policy } from './policy.js'
import { Redeemer } from './redeemer.js'
import type { PublicationOptions, RemoteClient } from './remote-client.js'
import { HealthWatch, type ServerHealth } from './server-health.js'
import { StreamLiveness } from './stream-liveness.js'
import { tokenGuard, tokenRoute } from './token-route.js'
import { secretKey, type TokenKey, Tokens } from './tokens.js'
import { intercept } from './transports/intercept.js'
import { Transports } from './transports/transports.js'
import { Turnstile } from './turnstile.js'
import { decide, type Refusal, type VetoCallback } from './vetoes.js'

/** A key for HS256 has to be as long as its hash, or longer. Source: RFC 7518, section 3.2. */
const SECRET_BYTES = 32

/** What a veto listener may return: `false` refuses; with a declared callback, `undefined` leaves it to the callback. */
export type Veto = unknown

/** The events that ask listeners: one that refuses is enough. */
type VetoEvent = Exclude<keyof TokenSocketServerEvents, 'error' | 'health'>

/** The events of a {@link TokenSocketServer}. All but `error` and `health` are vetoes: one listener that refuses is enough. */
export interface TokenSocketServerEvents {
  /** A client brought a good token. `callback()` lets it in; `callback(error)` or `callback(null, false)` do not. */
  authentication(socket: RemoteClient, auth: unknown, callback: VetoCallback): Veto
  /** A client wants to subscribe. */
  subscribe(socket: RemoteClient, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to unsubscribe. */
  unsubscribe(socket: RemoteClient, data: { channel: string }, callback: VetoCallback): Veto
  /** A client wants to publish. */
  publish(socket: RemoteClient, data: { channel: string; data: unknown }, callback: VetoCallback): Veto
  /** A client wants to publish on every channel. Where `publish` has listeners, one of these has to say `true`. */
  broadcast(socket: RemoteClient, data: { data: unknown }, callback: VetoCallback): Veto
  /** The server has another status: `ok`, `degraded`, `shutting_down`. */
  health(health: ServerHealth): void
  /** Something threw that nobody else is told of: a handler, a listener, the filter, the engine. */
  error(cause: unknown, details: object): void
}

/** Gets how a call ended. */
export type RpcCallback = (error: RpcError | null, data?: unknown) => void

/**
 * The server: a token endpoint on the Express application, and sockets on its HTTP server.
 *
 * Everything a client does is checked and bounded; what handlers and listeners throw harms neither the process nor
 * other sockets and comes out as the `error` event.
 */
export class TokenSocketServer extends EventEmitter<TokenSocketServerEvents> {
  /** The functions that clients can call. May be changed, or replaced, at any time. */
  socketController: ServerController
  /** The sockets of all nodes, by their ids. */
  readonly cluster: Cluster
  readonly #options: ResolvedOptions
  readonly #routes: ExpressRoutes
  readonly #hub = new Hub((cause, details) => this.#failed(cause, details))
  readonly #channels: Channels
  readonly #handshakes: Handshakes
  readonly #health: HealthWatch
  /** What token requests, upgrades and tokens wait at when many come at once. */
  readonly #turnstile = new Turnstile()
  readonly #streams: StreamLiveness
  readonly #transports: Transports
  #authTimeout: number | undefined
  #shutdown: Promise<void> | undefined

  /** @throws RpcError `bad_option`, naming the option */
  constructor(options: TokenSocketServerOptions) {
    super()
    this.#options = resolveOptions(options)
    const { app, engine, limits, authTimeout, filter, socketController, routes } = this.#options
    this.#health = this.#watchHealth()
    this.socketController = socketController
    this.#authTimeout = authTimeout
    this.#hub.filter = filter
    this.#routes = new ExpressRoutes(app, routes)
    const tokens = this.#makeTokens()
    const redeemer = new Redeemer({ ...this.#options, tokens })
    this.#channels = this.#makeChannels(redeemer, tokens)
    this.cluster = new Cluster({ nodes: engine.nodes, hub: this.#hub, callTimeout: limits.callTimeout })
    const trusts: TrustProxy = (address, hop) => app.get('trust proxy fn')(address, hop)
    const { origins: list, requireOrigin: required } = this.#options
    const onerror = (cause: unknown) => this.#failed(cause, { option: 'origins' })
    const origins = new OriginRules({ origins: list, required, trusts, onerror })
    this.#streams = new StreamLiveness(this.#options)
    this.#handshakes = this.#makeHandshakes(redeemer)
    this.#mountTokenRoute(tokens, origins)
    this.#transports = new Transports({
      ...this.#options,
      origins,
      trusts,
      turnstile: this.#turnstile,
      maxPayload: limits.message,
      connections: limits.connections,
      limits,
      files: this.#options.serveClient ? new ClientFiles() : undefined,
      opened: (connection) => this.#handshakes.begin(connection),
    })
  }

  /**
   * Calls an action on a client.
   * @param rest a callback `(error, data)`, or `{ timeout, signal }`
   * @returns a promise of the result if there is no callback; see {@link RemoteClient.rpc}
   */
  rpc(socket: RemoteClient, name: string, data: unknown, callback: RpcCallback): void
  rpc<Data = unknown>(
    socket: RemoteClient,
    name: string,
    data?: unknown,
    options?: CallOptions,
  ): Promise<Data>
  rpc(
    socket: RemoteClient,
    name: string,
    data?: unknown,
    rest?: RpcCallback | CallOptions,
  ): Promise<unknown> | undefined {
    if (typeof rest !== 'function') return socket.rpc(name, data, rest)
    const call = (run: () => void) => {
      try {
        run()
      } catch (cause) {
        this.#failed(cause, { rpc: name })
      }
    }
    socket.rpc(name, data).then(
      (result) => call(() => rest(null, result)),
      (error: RpcError) => call(() => rest(error)),
    )
    return undefined
  }

  /** Publishes on a channel, on every node; resolves when the engine has accepted it. @throws RpcError */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    return this.#watched(this.#channels.publish(channel, data, options))
  }

  /**
   * Reads what a channel keeps, 100 publications unless `limit` says otherwise, oldest first unless `reverse` does.
   * @throws RpcError `too_long`, `bad_message`
   */
  async history(channel: string, query: Partial<HistoryQuery> = {}): Promise<HistoryPage> {
    return this.#channels.history(channel, { limit: 100, ...query })
  }

  /** Publishes on every channel of every node; resolves when the engine has accepted it. @throws RpcError */
  broadcast(data: unknown): Promise<void> {
    return this.#watched(this.#channels.broadcast(data))
  }

  /** Subscribes a socket to a channel, without asking listeners; resolves when publications reach it. */
  subscribe(socket: RemoteClient, channel: string): Promise<void> {
    return this.#watched(this.#channels.subscribe(socket, channel))
  }

  /** Unsubscribes a socket from a channel, without asking listeners. */
  unsubscribe(socket: RemoteClient, channel: string): void {
    this.#channels.unsubscribe(socket, channel)
  }

  /** Unsubscribes every socket of every node from a channel. */
  unsubscribeAll(channel: string): Promise<void> {
    return this.#watched(this.#channels.unsubscribeAll(channel))
  }

  /** Who is on a channel that has presence, over all nodes. @throws RpcError `too_long`, `bad_message` */
  members(channel: string): Promise<Member[]> {
    return this.#watched(this.#channels.members(channel))
  }

  /** The authenticated sockets of this node. */
  sockets(): RemoteClient[] {
    return this.#hub.sockets
  }

  /** The names of the channels that sockets of this node are subscribed to. */
  channels(): string[] {
    return this.#hub.channels
  }

  /** The sockets of this node that are subscribed to a channel. */
  channelSockets(channel: string): RemoteClient[] {
    return this.#hub.on(channel)
  }

  /** How the server is, as the health route answers it. */
  health(): ServerHealth {
    return this.#health.now
  }

  /** Puts another filter in place of the `filter` option; nothing takes it away. */
  publishFilter(filter?: PublishFilter): void {
    this.#hub.filter = filter
  }

  /** Gives connections another time to send their token, those that wait included. @param ms milliseconds */
  enableCleanup(ms = 5000): void {
    this.#authTimeout = ms
    this.#handshakes.limit(ms)
  }

  /** Lets connections take as long as they like to send their token. */
  disableCleanup(): void {
    this.#authTimeout = undefined
    this.#handshakes.limit(undefined)
  }

  /**
   * Closes every socket, gives the prefix back to the application, and closes the engine. The HTTP server stays open: it
   * is the application's. The token route answers 503 from now on, so that clients try again, and so does the health
   * route, so that balancers send nobody. Calling it again returns the same promise.
   */
  shutdown(): Promise<void> {
    this.#shutdown ??= this.#close()
    return this.#shutdown
  }

  async #close(): Promise<void> {
    this.#health.end()
    this.#transports.close()
    this.#streams.stop()
    this.#handshakes.close('shutting_down')
    for (const socket of this.sockets()) socket.close('shutting_down')
    this.cluster.close()
    await this.#options.engine.close()
  }

  #makeChannels(redeemer: Redeemer, tokens: Tokens): Channels {
    const { engine, limits, channels, logger, presenceGrace } = this.#options
    const failed = (cause: unknown, details: object) => this.#failed(cause, details)
    const policy = new Policy({ channels, timeout: limits.vetoTimeout, failed })
    if (policy.isOpen) {
      const open = 'there are no channel rules: any authenticated socket without claims may use any channel'
      logger.info({}, open)
    }
    const decide: ChannelsOwner['decide'] = (...request) => this.#decide(...request)
    const redeem: ChannelsOwner['redeem'] = (...token) => redeemer.subscribe(...token)
    return new Channels({
      ...engine,
      ...limits,
      presenceGrace,
      hub: this.#hub,
      proofs: new PositionProofs(tokens.secrets('position proof')),
      policy,
      redeem,
      decide,
      failed,
    })
  }

  #findAction(name: string): Action | undefined {
    const action = this.#routes.find(name) ?? findAction(this.socketController as never, name)
    return action ?? (name === '_ping' && this.#options.ping ? () => ({ message: 'pong' }) : undefined)
  }

  async #decide(event: VetoEvent, socket: RemoteClient, data: unknown): Promise<Refusal | undefined> {
    const listeners = this.listeners(event)
    // They are asked here instead of by `emit`, which would take away those that were added by `once` (4th argument).
    for (const listener of listeners) this.removeListener(event, listener, undefined, true)
    const bound = listeners.map((listener) => listener.bind(this))
    return decide(bound, [socket, data], {
      timeout: this.#options.limits.vetoTimeout,
      emptyMeansYes: event === 'authentication',
      // A broadcast reaches the channels on which a `publish` listener says no.
      needsYes: event === 'broadcast' && this.listenerCount('publish') > 0,
      onerror: (cause) => this.#failed(cause, { event, sid: socket.sid }),
    })
  }

  #makeTokens(): Tokens {
    const { secret, keys, audience, issuer, tokenTtl: ttl, logger } = this.#options
    const make = (keys: ReadonlyMap<string, TokenKey>) => new Tokens({ keys, audience, issuer, ttl })
    if (keys) return make(new Map(Object.entries(keys)))
    if (secret !== undefined) {
      if (Buffer.byteLength(secret) < SECRET_BYTES) {
        logger.warn(
          { option: 'secret' },
          `the secret is shorter than the ${SECRET_BYTES} bytes that HS256 wants`,
        )
      }
      return make(secretKey(secret))
    }
    logger.warn(
      { option: 'secret' },
      'no secret is set: tokens are signed with a random one, for this process only',
    )
    return make(secretKey(randomBytes(32)))
  }

  #makeHandshakes(redeemer: Redeemer): Handshakes {
    const { limits, logger, pingInterval: heartbeat } = this.#options
    const failed = (cause: unknown, details: object) => this.#failed(cause, details)
    const owner = {
      flusher: new Flusher(),
      timeouts: createTimeouts(),
      limits: { ...limits, timeout: limits.callTimeout },
      findAction: (name: string) => this.#findAction(name),
      channels: this.#channels,
      failed,
    }
    const decideOn = (socket: RemoteClient) => this.#decide('authentication', socket, socket.auth)
    const admission = new Admission({
      redeemer,
      hub: this.#hub,
      logger,
      heartbeat,
      newSid: () => sidOf(randomUUID(), this.cluster.node),
      owner,
      watch: (socket) => this.#streams.watch(socket),
      decide: decideOn,
    })
    return new Handshakes({
      authTimeout: () => this.#authTimeout,
      authMessageLimit: limits.authMessage,
      turnstile: this.#turnstile,
      welcome: (...args) => admission.welcome(...args),
      failed,
    })
  }

  #mountTokenRoute(tokens: Tokens, origins: OriginRules): void {
    const { app, engine, limits, customMiddleware } = this.#options
    const handlers: RequestHandler[] = [
      tokenGuard(origins, () => this.#shutdown !== undefined),
      (_request, _response, next) => this.#turnstile.pass(next),
      ...[customMiddleware].flat(),
      tokenRoute({ ...this.#options, ...limits, tokens, tickets: engine.tickets, origins }),
    ]
    app.get(this.#options.tokenRoute, handlers)
    app.post(this.#options.tokenRoute, handlers)
    app.options(this.#options.tokenRoute, handlers)
  }

  /** A promise that nobody looks at must not end the process; the `error` event tells of it all the same. */
  #watched<T>(promise: Promise<T>): Promise<T> {
    promise.catch((cause) => this.#failed(cause, {}))
    return promise
  }

  /** The route stays after the shutdown: it is what tells balancers of that. */
  #watchHealth(): HealthWatch {
    const { engine, logger, server, healthRoute } = this.#options
    const watch = new HealthWatch({
      engine,
      logger,
      changed: (health) => {
        try {
          this.emit('health', health)
        } catch (cause) {
          this.#failed(cause, { event: 'health' })
        }
      },
    })
    if (healthRoute !== false) intercept(server, new HealthRoute(healthRoute, () => watch.now))
    return watch
  }

  #failed(cause: unknown, details: object): void {
    this.#options.logger.error({ ...details, err: cause }, 'something threw')
    try {
      this.emit('error', cause, details)
    } catch (err) {
      this.#options.logger.error({ err }, 'an error listener threw')
    }
  }
}

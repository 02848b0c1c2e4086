import { randomUUID } from 'node:crypto'
import { type Action, type CallOptions, findAction, markHandled } from '@token-socket/protocol'
import type { AuthorizationLog } from './authentication/authorization-log.js'
import type { Handshakes } from './authentication/handshake.js'
import { JoiningSockets } from './authentication/joining-sockets.js'
import { Revocations } from './authentication/revocations.js'
import { makeHandshakes, type SignInParts } from './authentication/sign-in.js'
import { SignInVetoes } from './authentication/sign-in-vetoes.js'
import { TokenAuthenticator } from './authentication/token-authenticator.js'
import { mountTokenEndpoint } from './authentication/token-endpoint.js'
import { makeTokens, type Tokens } from './authentication/tokens.js'
import { Channels } from './channels/channels.js'
import type { ChannelsOwner } from './channels/channels-owner.js'
import { Hub, type PublishFilter } from './channels/hub.js'
import { makePolicy } from './channels/make-policy.js'
import { PositionProofs } from './channels/position-proofs.js'
import { SocketEvents } from './channels/socket-events.js'
import { VetoListeners } from './channels/veto-listeners.js'
import { warnOfLoneWorker } from './cluster/cluster-workers.js'
import { makeAuthorizations } from './cluster/make-authorizations.js'
import { Cluster, sidOf } from './cluster.js'
import { Development } from './development/development.js'
import { warnOfHiddenInstances } from './development/hidden-instances.js'
import { checkEngineIsFree, takeEngine } from './engine/engine-owners.js'
import { ClientFiles } from './http/client-files.js'
import { ExpressRoutes } from './http/express-routes.js'
import { type TrustProxy, trustOf } from './http/forwarded.js'
import { watchHealth } from './http/health-watching.js'
import { OriginRules } from './http/origins.js'
import { checkPathsAreFree, takePaths } from './http/served-paths.js'
import type { HealthWatch, ServerHealth } from './http/server-health.js'
import type { Unmount } from './http/token-mounts.js'
import type { Middleware, MiddlewareType } from './middleware/contexts.js'
import { MiddlewareStack } from './middleware/middleware-stack.js'
import { badOption, checkNumber } from './options/option-checks.js'
import { SHUTDOWN_OPTIONS, type ShutdownOptions } from './options/shutdown-options.js'
import {
  type ResolvedOptions,
  resolveOptions,
  type ServerController,
  type TokenSocketServerOptions,
} from './options.js'
import { isProduction } from './runtime/environment.js'
import { Failures } from './runtime/failures.js'
import { notifyListeners, takeListeners } from './runtime/listeners.js'
import { noted } from './runtime/own-calls.js'
import { ThrottledLog } from './runtime/throttled-log.js'
import { TurnThrottle } from './runtime/turn-throttle.js'
import { Turns } from './runtime/turns.js'
import { ServerConnections, type ServerConnectionsParts } from './server-connections.js'
import type { TokenSocketServerEvents } from './server-events.js'
import { warnOfCredentials } from './socket/opening-request.js'
import { pong } from './socket/pong.js'
import type { RpcCallback } from './socket/rpc-callback.js'
import type { ServerSocket } from './socket/server-socket.js'
import { StreamHeartbeat } from './transports/stream-heartbeat.js'
import { Transports } from './transports/transports.js'

/**
 * The server: a token endpoint on the Express application, and sockets on its HTTP server.
 * Everything a client does is checked and bounded. What handlers and listeners throw becomes the
 * `error` event. It harms neither the process nor other sockets.
 */
export class TokenSocketServer extends ServerConnections {
  /** The functions that clients can call. The application may change or replace it at any time. */
  socketController: ServerController
  /** The sockets of all nodes, by their ids. */
  readonly cluster: Cluster
  readonly #options: ResolvedOptions
  readonly #log: ThrottledLog
  readonly #failures: Failures
  readonly #vetoes: VetoListeners
  readonly #development: Development | undefined
  readonly #events: SocketEvents
  readonly #routes: ExpressRoutes
  readonly #middleware: MiddlewareStack
  readonly #hub: Hub
  readonly #joining = new JoiningSockets()
  readonly #channels: Channels
  readonly #authorizations: AuthorizationLog
  readonly #handshakes: Handshakes
  readonly #health: HealthWatch
  /** Queues token requests, upgrades and sign-ins when many come at once. */
  readonly #throttle = new TurnThrottle()
  readonly #turns = new Turns()
  readonly #streams: StreamHeartbeat
  readonly #transports: Transports
  /** @internal */
  protected readonly parts: ServerConnectionsParts
  /** Functions that remove what the server added to the application and the HTTP server. */
  readonly #release: Unmount[] = []
  #releaseEngine: () => void = () => {}
  #authTimeout: number | undefined
  #shutdown: Promise<void> | undefined

  /** @throws RpcError `bad_option`, naming the option */
  constructor(options: TokenSocketServerOptions) {
    super()
    this.#options = resolveOptions(options)
    checkPathsAreFree(this.#options)
    checkEngineIsFree(this.#options.engine)
    const { app, engine, limits, authTimeout, filter, socketController, routes, logger } = this.#options
    this.#log = new ThrottledLog(logger)
    this.#failures = new Failures(this.#log, (...failure) => this.#tell('error', failure))
    const failed = this.#failures.report
    this.#vetoes = new VetoListeners({ emitter: this, limits, log: this.#log, failed })
    this.#events = new SocketEvents({ emitter: this, failed })
    this.#middleware = new MiddlewareStack({ limits, log: this.#log, failed })
    this.#hub = new Hub(failed, filter)
    this.socketController = socketController
    this.#development = isProduction() ? undefined : this.#developed()
    this.#authTimeout = authTimeout
    this.#routes = new ExpressRoutes(app, routes)
    warnOfHiddenInstances(logger, socketController)
    warnOfCredentials(logger, this.#options)
    warnOfLoneWorker(logger, engine)
    const tokens = makeTokens(this.#options)
    const revocations = new Revocations({ ...this.#options, tickets: engine.tickets })
    const authorizations = this.#makeAuthorizations(revocations)
    this.#authorizations = authorizations
    const parts = { ...this.#options, tokens, revocations, authorizations, log: this.#log }
    const tokenAuthenticator = new TokenAuthenticator(parts)
    this.#channels = this.#makeChannels(tokenAuthenticator, tokens)
    this.cluster = this.#makeCluster(revocations)
    const { cluster } = this
    this.parts = { cluster, channels: this.#channels, hub: this.#hub, failures: this.#failures }
    const trusts = trustOf(app, failed)
    const origins = this.#makeOrigins(trusts)
    this.#health = this.#watchHealth()
    this.#streams = new StreamHeartbeat(this.#options)
    this.#handshakes = this.#makeHandshakes(tokenAuthenticator, { revocations, trusts })
    this.#mountTokenEndpoint(tokens, { origins, revocations })
    this.#transports = this.#makeTransports(origins, trusts)
  }

  /**
   * Calls an action of a client.
   * @param callback gets the error, or `null` and the answer; see {@link ServerSocket.rpc}
   * @example
   * sockets.rpc(socket, 'confirm', 'Delete it?', (error, answer) => console.log(error ?? answer))
   */
  rpc(socket: ServerSocket, name: string, data: unknown, callback: RpcCallback): void
  /**
   * Calls an action of a client.
   * @param options `{ timeout, signal }`
   * @returns a promise of the answer; see {@link ServerSocket.rpc}
   * @example
   * const answer = await sockets.rpc<boolean>(socket, 'confirm', 'Delete it?', { timeout: 60_000 })
   */
  rpc<Data = unknown>(
    socket: ServerSocket,
    name: string,
    data?: unknown,
    options?: CallOptions,
  ): Promise<Data>
  rpc(
    socket: ServerSocket,
    name: string,
    data?: unknown,
    rest?: RpcCallback | CallOptions,
  ): Promise<unknown> | undefined {
    return typeof rest === 'function' ? void socket.rpc(name, data, rest) : socket.rpc(name, data, rest)
  }

  /**
   * Adds middleware around requests of clients, inside the middleware that was added before. Of
   * several arguments, the first is the outermost. It runs for requests that arrive from now on.
   * See {@link Middleware}.
   * @returns a function that removes it
   * @throws RpcError `bad_message`; then nothing is added
   * @example
   * sockets.use(async ({ type, socket }, next) => {
   *   console.log(type, socket.sid)
   *   return next()
   * })
   */
  use(...middleware: readonly [Middleware, ...Middleware[]]): () => void
  /**
   * Adds middleware around requests of one type, likewise.
   * @param type the requests that it runs around
   * @example
   * sockets.use('call', ({ name, socket }, next) => {
   *   if (name === 'admin.stop' && socket.uid !== 'ann') throw new RpcError('forbidden')
   *   return next()
   * })
   */
  use<Type extends MiddlewareType>(
    type: Type,
    ...middleware: readonly [Middleware<Type>, ...Middleware<Type>[]]
  ): () => void
  use(...given: readonly unknown[]): () => void {
    return noted('server.use', () => this.#middleware.use(...(given as Middleware[])))
  }

  /**
   * Returns the server's health, as the health route answers it.
   * @example
   * console.log(sockets.health().status) // ok
   */
  health(): ServerHealth {
    return this.#health.now
  }

  /**
   * Replaces the filter of the option `filter`. Without an argument it removes the filter.
   * @throws RpcError `bad_option`
   * @example
   * sockets.publishFilter((socket, channel, message) => (channel !== 'staff' || socket.uid === 'ann') && message)
   */
  publishFilter(filter?: PublishFilter): void {
    if (filter !== undefined && typeof filter !== 'function')
      throw badOption('filter', 'has to be a function')
    this.#hub.filter = filter
  }

  /**
   * Sets how long a connection may take to send its token, also for connections that wait already.
   * @param ms milliseconds
   * @throws RpcError `bad_option`
   * @example
   * sockets.enableCleanup(10_000)
   */
  enableCleanup(ms = 5000): void {
    checkNumber('ms', ms)
    this.#authTimeout = ms
    this.#handshakes.limit(ms)
  }

  /**
   * Removes the limit of time in which a connection has to send its token.
   * @example
   * sockets.disableCleanup()
   */
  disableCleanup(): void {
    this.#authTimeout = undefined
    this.#handshakes.limit(undefined)
  }

  /**
   * Closes every socket and the engine, and removes what the server added to the application and
   * the HTTP server. The HTTP server stays open, because it belongs to the application. The token
   * route and the health route answer 503 until another TokenSocketServer is created on the same
   * application and HTTP server: clients try again, and load balancers send no traffic. A second
   * call returns the same promise.
   * @param options with `final`, these two routes are removed at once, too
   * @throws RpcError `bad_option`
   * @example
   * process.once('SIGTERM', async () => {
   *   await sockets.shutdown()
   *   server.close()
   * })
   */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    SHUTDOWN_OPTIONS.check(options)
    for (const release of this.#release) release(options.final === true)
    this.#shutdown ??= markHandled(this.#close())
    return this.#shutdown
  }

  async #close(): Promise<void> {
    this.#health.end()
    this.#transports.close()
    this.#streams.stop()
    this.#handshakes.close('shutting_down')
    for (const socket of this.sockets()) socket.closeFor('shutting_down')
    this.#channels.close()
    this.cluster.close()
    this.#authorizations.close()
    this.#log.close()
    await this.#options.engine.close().finally(this.#releaseEngine)
  }

  #makeChannels(tokenAuthenticator: TokenAuthenticator, tokens: Tokens): Channels {
    const { engine, limits, presenceGrace } = this.#options
    const failed = this.#failures.report
    const policy = makePolicy({ ...this.#options, log: this.#log, failed })
    const redeem: ChannelsOwner['redeem'] = (...token) => tokenAuthenticator.subscribe(...token)
    return new Channels({
      ...engine,
      limits,
      broker: this.#authorizations.broker,
      presenceGrace,
      hub: this.#hub,
      joining: this.#joining,
      log: this.#log,
      proofs: new PositionProofs(tokens.secrets('position proof')),
      policy,
      events: this.#events,
      middleware: this.#middleware,
      redeem,
      vetoes: this.#vetoes,
      development: this.#development,
      failed,
    })
  }

  #developed(): Development {
    const { logger, routes, functions } = this.#options
    const development = new Development({ logger, actions: () => [routes, this.socketController] })
    development.warnOfUnusedRules(Object.keys(functions))
    return development
  }

  #findAction(name: string): Action | undefined {
    const action = this.#routes.find(name) ?? findAction(this.socketController as never, name)
    if (action || name !== '_ping') return action
    return this.#options.ping ? pong : undefined
  }

  #makeCluster(revocations: Revocations): Cluster {
    const { engine, limits } = this.#options
    const { nodes, tickets } = engine
    const [hub, joining, channels] = [this.#hub, this.#joining, this.#channels]
    const { report: failed } = this.#failures
    const parts = { nodes, tickets, hub, joining, channels, revocations, failed }
    const [authorizations, development] = [this.#authorizations, this.#development]
    authorizations.start()
    return new Cluster({ limits, ...parts, authorizations, development })
  }

  #makeAuthorizations(revocations: Revocations): AuthorizationLog {
    const { report: failed } = this.#failures
    const [hub, joining] = [this.#hub, this.#joining]
    const publishedWhere: Channels['publishedWhere'] = (matches) => this.#channels.publishedWhere(matches)
    return makeAuthorizations({ ...this.#options, hub, joining, revocations, publishedWhere, failed })
  }

  #makeOrigins(trusts: TrustProxy): OriginRules {
    const { origins, requireOrigin: required } = this.#options
    const onerror = (cause: unknown) => this.#failures.report(cause, { option: 'origins' })
    return new OriginRules({
      origins,
      required,
      trusts,
      onerror,
      log: this.#log,
      givesHints: this.#development !== undefined,
    })
  }

  #mountTokenEndpoint(
    tokens: Tokens,
    { origins, revocations }: { readonly origins: OriginRules; readonly revocations: Revocations },
  ): void {
    const { engine } = this.#options
    const unmount = mountTokenEndpoint({
      ...this.#options,
      tokens,
      origins,
      requests: revocations.requests,
      throttle: this.#throttle,
      log: this.#log,
      development: this.#development,
    })
    this.#release.push(takePaths(this.#options), unmount)
    this.#releaseEngine = takeEngine(engine, 'server')
  }

  #makeHandshakes(
    tokenAuthenticator: TokenAuthenticator,
    parts: Pick<SignInParts, 'revocations' | 'trusts'>,
  ): Handshakes {
    return makeHandshakes({
      ...this.#options,
      ...parts,
      authorizations: this.#authorizations,
      log: this.#log,
      development: this.#development,
      tokenAuthenticator,
      hub: this.#hub,
      joining: this.#joining,
      channels: this.#channels,
      throttle: this.#throttle,
      turns: this.#turns,
      authTimeout: () => this.#authTimeout,
      newSid: () => sidOf(randomUUID(), this.cluster.node),
      findAction: (name) => this.#findAction(name),
      middleware: this.#middleware,
      failed: this.#failures.report,
      events: this.#events,
      watch: (socket) => this.#streams.watch(socket),
      vetoes: new SignInVetoes(this.#vetoes, this.#middleware),
    })
  }

  #makeTransports(origins: OriginRules, trusts: TrustProxy): Transports {
    const { limits, serveClient, connectAuthentication } = this.#options
    return new Transports({
      ...this.#options,
      origins,
      trusts,
      throttle: this.#throttle,
      turns: this.#turns,
      keepsRequests: connectAuthentication !== undefined,
      limits,
      files: serveClient ? new ClientFiles() : undefined,
      log: this.#log,
      failed: (cause) => this.#failures.report(cause, { step: 'request' }),
      opened: (connection) => this.#handshakes.begin(connection),
    })
  }

  #watchHealth(): HealthWatch {
    const changed = (health: ServerHealth) => this.#tell('health', [health])
    const { watch, unmount } = watchHealth({
      ...this.#options,
      troubles: this.#authorizations.health,
      log: this.#log,
      changed,
    })
    this.#release.push(unmount)
    return watch
  }

  /**
   * Calls the listeners of an event. A listener that throws affects neither the others nor the
   * server.
   */
  #tell<Event extends 'error' | 'health'>(
    event: Event,
    args: Parameters<TokenSocketServerEvents[Event]>,
  ): void {
    notifyListeners(takeListeners(this, event), args, (cause) =>
      event === 'error' ? this.#failures.reportListener(cause) : this.#failures.report(cause, { event }),
    )
  }
}

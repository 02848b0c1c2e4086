import {
  type CallOptions,
  type Controller,
  decodeError,
  type PublicationMessage,
  RpcError,
  type ServerMessage,
} from '@token-socket/protocol'
import { EventEmitter } from 'eventemitter3'
import { attempt } from './attempt.js'
import { attemptParts } from './attempt-parts.js'
import { asRpcError, type Callback, deliver, guard } from './callback.js'
import { Calls } from './calls.js'
import { Connector, type Move } from './connector.js'
import type { TokenSocketEvents } from './events.js'
import { Heartbeat } from './heartbeat.js'
import type { Link } from './link.js'
import { readOptions, type Settings, type TokenSocketOptions } from './options.js'
import {
  detailsOf,
  type HistoryQuery,
  type PublicationDetails,
  type PublishOptions,
  publicationsOf,
  type Receipt,
  receiptOf,
} from './publications.js'
import type { ConnectionState } from './states.js'
import { Subscriptions } from './subscriptions.js'
import { onWake } from './wake.js'

/** Milliseconds that a ping's answer may take at the most. */
const PING_TIMEOUT = 10_000

/** Milliseconds that a server's sign of life may be late. */
const HEARTBEAT_LEEWAY = 1000

/**
 * A socket to a TokenSocket server: calls both ways and channels, on a connection that comes back by itself.
 *
 * It connects at once. What is called before it is ready, or while it is away, waits. A promise that nobody awaits never
 * becomes an unhandled rejection. What a listener or callback throws reaches neither the library nor another listener:
 * it is thrown again on its own, as an uncaught error. `this` in a listener is the socket.
 */
export class TokenSocket extends EventEmitter<TokenSocketEvents> {
  /** The library's error class, for pages that have only this one global. */
  static readonly RpcError = RpcError
  /** The functions that the server may call, by dotted name. May be changed in place at any time. */
  actions: Controller
  readonly #settings: Settings
  readonly #connector: Connector
  readonly #calls: Calls
  readonly #subscriptions: Subscriptions
  readonly #heartbeat: Heartbeat
  readonly #undoWake: () => void
  readonly #firstReady: Promise<void>
  #settleReady: (error?: RpcError) => void = () => {}
  #wasReady = false
  /** Why there will be no link any more. */
  #final: RpcError | undefined
  #end: Promise<void> | undefined

  /**
   * Connects.
   * @param actions functions that the server may call: `(data, callback)`, or returning the answer or its promise
   * @throws RpcError `bad_option`, which names the option
   */
  constructor(options?: TokenSocketOptions, actions: Controller = {}) {
    super()
    this.actions = actions
    this.#settings = readOptions(options)
    this.#firstReady = deliver(
      new Promise<void>((resolve, reject) => {
        this.#settleReady = (error) => (error ? reject(error) : resolve())
      }),
    )
    this.#calls = this.#makeCalls()
    this.#subscriptions = this.#makeSubscriptions()
    this.#heartbeat = this.#makeHeartbeat()
    this.#connector = this.#makeConnector()
    this.#undoWake = onWake({
      woke: () => this.#woke(),
      wentOffline: () => this.#connector.pause(),
      left: () => this.#connector.leave(),
    })
    if (this.#settings.ready) this.ready(this.#settings.ready)
    if (this.#settings.onreconnect) this.onreconnect(this.#settings.onreconnect)
    this.#connector.start()
  }

  /** What the socket is doing; the `state` event tells of each change. */
  get state(): ConnectionState {
    return this.#connector.state
  }

  /** What carries the socket: `websocket`, or SockJS's name such as `xhr-streaming`. `undefined` while it is away. */
  get transport(): string | undefined {
    return this.#connector.link?.transport
  }

  /** Resolves when the socket is ready for the first time. Rejects if it never will be, or has failed or ended since. */
  ready(): Promise<void>
  /** Listens for `ready`. If that is over already, the listener is called soon. */
  ready(listener: TokenSocketEvents['ready']): void
  ready(listener?: TokenSocketEvents['ready']): Promise<void> | undefined {
    const outcome = this.#final ? Promise.reject(this.#final) : this.#firstReady
    if (!listener) return deliver(outcome)
    if (this.#wasReady || this.#final) deliver(outcome, (error) => listener.call(this, error ?? undefined))
    else this.on('ready', listener)
    return undefined
  }

  /** Listens for `reconnect`. */
  onreconnect(listener: TokenSocketEvents['reconnect']): void {
    this.on('reconnect', listener)
  }

  /** Listens for `message`. */
  onmessage(listener: TokenSocketEvents['message']): void {
    this.on('message', listener)
  }

  /** The names of the channels that this socket is subscribed to, or will be as soon as it can. */
  channels(): string[] {
    return this.#subscriptions.channels
  }

  /** Puts other functions in the place of all those that the server may call. Calls that run go on. */
  register(actions: Controller): void {
    this.actions = actions
  }

  /**
   * Calls a function of the server's controller.
   *
   * It settles exactly once: with the answer; the function's error; `timeout`; `aborted`; `connection_lost` if it was
   * sent and the connection broke before the answer, so that nobody knows whether it ran; `queue_full`;
   * `too_many_calls`; `unserializable`; `ended`, or why the socket failed for good.
   *
   * @param name dotted
   * @param data anything that JSON can carry; a callback in its place is taken for one
   * @param rest a callback `(error, answer)`, or `{ timeout, signal }`
   */
  rpc<Data = unknown>(name: string, callback: Callback<Data>): Promise<Data>
  rpc<Data = unknown>(name: string, data?: unknown, rest?: Callback<Data> | CallOptions): Promise<Data>
  rpc<Data>(name: string, data?: unknown, rest?: Callback<Data> | CallOptions): Promise<Data> {
    if (typeof data === 'function' && rest === undefined) {
      return this.rpc<Data>(name, undefined, data as Callback<Data>)
    }
    const [callback, options] =
      typeof rest === 'function' ? [rest, undefined] : [undefined, rest ?? undefined]
    const answer = this.#calls.request((id) => ({ type: 'call', id, name, data }), options)
    return deliver(answer as Promise<Data>, callback)
  }

  /**
   * Subscribes to a channel: its messages come as `message` events, and after a loss it is subscribed to again.
   * Settles when the server has answered; while the socket is away it waits. A later `unsubscribe` fails it with
   * `aborted` if it was not sent yet. Harmless when subscribed already.
   */
  subscribe(channel: string, callback?: Callback<void>): Promise<void> {
    return deliver(
      this.#final ? Promise.reject(this.#final) : this.#subscriptions.subscribe(channel),
      callback,
    )
  }

  /**
   * Unsubscribes from a channel. From now on no message of it comes as an event. Settles when the server has answered, or
   * at once while the socket is away. If the server refuses, the channel stays subscribed.
   */
  unsubscribe(channel: string, callback?: Callback<void>): Promise<void> {
    return deliver(
      this.#final ? Promise.reject(this.#final) : this.#subscriptions.unsubscribe(channel),
      callback,
    )
  }

  /**
   * Publishes a message on a channel. Resolves when the server has taken it; fails as {@link rpc} does. To the azuqua
   * server, which answers refusals only, it resolves with nothing, when sent, and a refusal comes as an `error` event.
   * @param rest a callback `(error, receipt)`, or `{ event, idempotencyKey }`
   */
  publish(
    channel: string,
    data: unknown,
    rest?: Callback<Receipt | undefined> | PublishOptions,
  ): Promise<Receipt | undefined> {
    const [callback, options] = typeof rest === 'function' ? [rest, undefined] : [undefined, rest]
    const { event, idempotencyKey: key } = options ?? {}
    const answer = this.#calls.request((id) => {
      return { type: 'publish', id, channel, data, ...(event && { event }), ...(key && { key }) }
    })
    return deliver(answer.then(receiptOf), callback)
  }

  /**
   * Reads what a channel keeps: up to 100 publications, oldest first. Fails as {@link rpc} does, and with `forbidden` for
   * a channel that this socket may not read.
   * @param query `after` and `before` are ids of publications that are not wanted themselves; `limit` is 100 at the most;
   *   `reverse` gives the latest first
   */
  async history(channel: string, query: HistoryQuery = {}): Promise<readonly PublicationDetails[]> {
    const answer = await this.#calls.request((id) => ({ type: 'history', id, channel, ...query }))
    return publicationsOf(answer)
  }

  /** Publishes a message on every channel. Settles as {@link publish} does. */
  broadcast(data: unknown, callback?: Callback<void>): Promise<void> {
    const answer = this.#calls.request((id) => ({ type: 'broadcast', id, data }))
    return deliver(answer.then(nothing), callback)
  }

  /**
   * Ends the socket for good, whatever it is doing. Listeners of `ready`, `reconnect` and `message` are removed; all that
   * waits fails with `ended`, and so does every later call. Resolves when the connection is closed, after 2 s at the
   * latest. Harmless when ended already.
   */
  end(callback?: () => void): Promise<void> {
    if (!this.#end) {
      for (const event of ['ready', 'reconnect', 'message'] as const) this.removeAllListeners(event)
      this.#end = this.#connector.end()
    }
    return deliver(this.#end, callback && (() => callback()))
  }

  /** Calls each listener. What one throws is thrown again as an uncaught error, after all have been called. */
  override emit<Name extends keyof TokenSocketEvents>(
    event: Name,
    ...args: EventEmitter.EventArgs<TokenSocketEvents, Name>
  ): boolean {
    const listeners = this.listeners(event)
    for (const listener of listeners) {
      // The fourth argument: only if it was added by `once`.
      this.removeListener(event, listener, undefined, true)
      guard(() => Reflect.apply(listener, this, args))
    }
    return listeners.length > 0
  }

  #makeCalls(): Calls {
    const { callTimeout, queueSize, limits } = this.#settings
    return new Calls(
      { callTimeout, queueSize, ...limits },
      {
        actions: () => this.actions,
        failed: (error) => this.emit('error', error),
        threw: (cause) => this.#threw(cause),
      },
    )
  }

  #makeSubscriptions(): Subscriptions {
    const { callTimeout: timeout, queueSize: waiting, limits } = this.#settings
    return new Subscriptions(
      { timeout, waiting, calls: limits.callsOut },
      {
        send: (message) => this.#connector.link?.send(message),
        failed: (error) => this.emit('error', error),
        restored: () => this.#connector.link && this.#calls.resume(this.#connector.link),
        recovered: (channel) => this.emit('recovered', channel),
        gap: (channel, reason) => this.emit('gap', channel, reason),
      },
    )
  }

  #makeHeartbeat(): Heartbeat {
    return new Heartbeat(this.#settings.ping, {
      ping: () => this.#ping(),
      quietFor: () => this.#connector.link?.quietFor ?? 0,
      answered: (roundTrip) => this.emit('ping', roundTrip),
      failed: (error) => this.emit('error', asRpcError(error)),
      died: () => this.#connector.drop(new RpcError('connection_lost', 'The server did not answer a ping')),
    })
  }

  #makeConnector(): Connector {
    const parts = attemptParts(this.#settings)
    return new Connector(this.#settings.reconnect, {
      attempt: (listener, signal) => attempt(parts, listener, signal),
      receive: (message, link) => this.#receive(message, link),
      moved: (move) => this.#moved(move),
    })
  }

  #receive(message: ServerMessage, link: Link): void {
    switch (message.type) {
      case 'answer':
        if (!this.#subscriptions.answered(message.id, message.outcome)) this.#calls.answered(message, link)
        break
      case 'invoke':
        this.#calls.invoked(message, link)
        break
      case 'subscribed':
      case 'unsubscribed':
        this.#subscriptions.noticed(message.type === 'subscribed' ? 'subscribe' : 'unsubscribe', message)
        break
      case 'position':
        this.#subscriptions.passed(message.channel, message)
        break
      case 'publication':
        this.#published(message)
        break
      case 'error':
        this.emit('error', decodeError(message.error))
    }
  }

  /** Moves the place on the channel first: a listener may subscribe again. */
  #published(message: PublicationMessage): void {
    const { channel, data, epoch, offset } = message
    if (!this.#subscriptions.has(channel)) return
    if (epoch !== undefined && offset !== undefined) {
      if (!this.#subscriptions.passed(channel, { epoch, offset })) return
    }
    this.emit('message', channel, data, detailsOf(message))
  }

  /** First the parts learn of the new state, then the listeners. */
  #moved(move: Move): void {
    const { event, from, error, delay } = move
    const isFirst = !this.#wasReady
    if (event === 'open') this.#opened()
    else if (event === 'end') this.#close(new RpcError('ended'))
    else if (event === 'refuse' && error) this.#close(error)
    else if (error) this.#lost(error)
    this.#settings.logger.debug?.(`${from} → ${this.state}`, error)
    this.emit('state', this.state, { ...(error && { error }), ...(delay !== undefined && { delay }) })
    if (event === 'open' || event === 'fail' || event === 'refuse') this.#report(move, isFirst)
  }

  #report({ event, from, error }: Move, isFirst: boolean): void {
    const args = error ? ([error] as const) : ([] as const)
    if (!isFirst) {
      if (from === 'connecting') this.emit('reconnect', ...args)
      else if (error) this.emit('error', error)
    } else if (event !== 'fail') {
      this.#settleReady(error)
      this.emit('ready', ...args)
    }
  }

  #opened(): void {
    const { link } = this.#connector
    if (!link) return
    this.#wasReady = true
    this.#heartbeat.start(link.heartbeat && link.heartbeat + HEARTBEAT_LEEWAY)
    this.#subscriptions.connected(link.isOld)
  }

  #lost(error: RpcError): void {
    this.#heartbeat.stop()
    this.#calls.suspend(error)
    this.#subscriptions.disconnected()
  }

  #close(error: RpcError): void {
    this.#final = error
    this.#undoWake()
    this.#heartbeat.stop()
    this.#calls.close(error)
    this.#subscriptions.close(error)
    this.#settleReady(error)
  }

  #woke(): void {
    this.#connector.retry()
    this.#heartbeat.check()
  }

  #ping(): Promise<unknown> {
    const { link } = this.#connector
    const timeout = Math.min(this.#settings.callTimeout || PING_TIMEOUT, PING_TIMEOUT)
    if (!link) return Promise.reject(new RpcError('connection_lost'))
    return this.#calls.requestOn(link, (id) => ({ type: 'ping', id }), { timeout })
  }

  #threw(cause: unknown): void {
    this.#settings.logger.warn?.('An action threw', cause)
    this.emit('error', asRpcError(cause))
  }
}

function nothing(): void {}

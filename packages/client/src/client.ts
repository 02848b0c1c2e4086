import { type CallOptions, findAction, RpcError } from '@token-socket/protocol'
import { advise, adviseOnActions } from '#advice'
import type { Calls } from './calls/calls.js'
import type { ClientAction, ClientController } from './calls/client-controller.js'
import type {
  CallAnswer,
  CallArguments,
  FunctionNames,
  NotifyArguments,
  UnknownFunctions,
} from './calls/remote-functions.js'
import type { Binding, Handler } from './channels/bindings.js'
import type { Channel, ChannelOptions } from './channels/channel.js'
import type { TokenSocketEvents } from './channels/events.js'
import {
  type HistoryQuery,
  type PublicationDetails,
  type PublishOptions,
  publicationsOf,
  type Receipt,
  receiptOf,
} from './channels/publications.js'
import { type ReadyOptions, readyInTime } from './connection/ready-timeout.js'
import { type Callback, settle, split } from './runtime/callback.js'
import { Emitter } from './runtime/emitter.js'
import { SOCKET_AWAY } from './runtime/reason-texts.js'
import { badArgument, checkedName, checkFunction } from './settings/bad-argument.js'
import { readOptions, type TokenSocketOptions } from './settings/options.js'
import type { Session, SocketStatus } from './settings/socket-status.js'
import type { ConnectionState } from './settings/states.js'
import { SocketCoordinator } from './socket-coordinator.js'

/**
 * A socket to a TokenSocket server: calls both ways and channels, on a connection that comes back by itself.
 *
 * It connects at once. What is called before it is ready, or while it is away, waits. A promise that no one awaits never
 * becomes an unhandled rejection. What a listener or callback throws reaches neither the library nor another listener:
 * it is thrown again on its own, as an uncaught error. `this` in a listener is the socket.
 *
 * @typeParam Functions the type of the server's controller, by which {@link rpc} knows the
 *   functions' names, their data and their answers: `new TokenSocket<typeof socketController>()`.
 *   It is not checked at run time. @default any functions
 */
export class TokenSocket<Functions extends object = UnknownFunctions> extends Emitter<TokenSocketEvents> {
  /** The library's error class, for pages that have only this one global. */
  static readonly RpcError = RpcError
  /** The functions that the server may call, by dotted name. May be changed in place at any time. */
  actions: ClientController
  /** The option `callTimeout`, or its default: milliseconds that a call has which names no `timeout`. */
  readonly callTimeout: number
  /** The option `queueSize`, or its default: how many calls may wait. */
  readonly queueSize: number
  readonly #coordinator: SocketCoordinator
  readonly #plainErrors: boolean
  #end: Promise<void> | undefined

  /**
   * Connects.
   * @param actions functions that the server may call: `(data, callback, call)`, or returning the answer or its promise
   * @throws RpcError `bad_option`, which names the option
   */
  constructor(options?: TokenSocketOptions, actions: ClientController = {}) {
    super()
    advise?.(this, options)
    this.actions = actions
    const settings = readOptions(options)
    this.callTimeout = settings.callTimeout
    this.queueSize = settings.queueSize
    this.#plainErrors = settings.plainErrors
    this.#coordinator = new SocketCoordinator(settings, this)
    adviseOnActions?.(this, this.#coordinator)
    if (settings.ready) this.ready(settings.ready)
    if (settings.onreconnect) this.onreconnect(settings.onreconnect)
    this.#coordinator.start()
  }

  /** What the socket is doing; the `state` event reports each change. */
  get state(): ConnectionState {
    return this.#coordinator.connector.status.state
  }

  /**
   * What the socket does now: its state, the last failure, the time until the next try, and the number of the try. An object
   * of its own each time, which does not change; the `state` event's details say the same.
   */
  get status(): SocketStatus {
    return this.#coordinator.connector.status
  }

  /** What carries the socket: `websocket`, or SockJS's name such as `xhr-streaming`. `undefined` while it is away. */
  get transport(): string | undefined {
    return this.#coordinator.connector.link?.transport
  }

  /** The connection's id on the server. `undefined` while it is away, and on the legacy server. */
  get sid(): string | undefined {
    return this.#coordinator.connector.link?.session?.sid
  }

  /** Who this socket is to others, by what the server said last. */
  get uid(): string | undefined {
    return this.#coordinator.session?.uid
  }

  /** What other members see of it, in addition to its `uid`, by what the server said last. */
  get umd(): unknown {
    return this.#coordinator.session?.umd
  }

  /**
   * What the server said last of this socket's authorisation: an object of its own for each look.
   * `undefined` until the socket is ready, and on the legacy server.
   */
  get session(): Session | undefined {
    return this.#coordinator.said
  }

  /**
   * Gets a new token now, and sends it on the open connection: resolves when the server has it.
   * While the socket is away, the next connection brings one. Calls that overlap are one. It
   * reconnects with the option `url`, to a server that takes none, and with one of another user.
   * Rejects with what refuses or fails; what may pass is tried again.
   */
  refresh(): Promise<void> {
    this.#coordinator.requestConnection()
    const coordinator = this.#coordinator
    return coordinator.final ? settle(Promise.reject(coordinator.final)) : coordinator.renewal.refresh()
  }

  /**
   * Resolves when the socket is ready for the first time. Rejects if it never will be, or has failed or ended since; and
   * after `timeout` milliseconds with `timeout`, whose `cause` is the last failure. The socket goes on trying then.
   */
  ready(options?: ReadyOptions): Promise<void>
  /** Listens for `ready`. If that is over already, the listener is called soon. */
  ready(listener: TokenSocketEvents['ready']): void
  ready(listener?: TokenSocketEvents['ready'] | ReadyOptions): Promise<void> | undefined {
    this.#coordinator.requestConnection()
    const coordinator = this.#coordinator
    const outcome = settle(coordinator.final ? Promise.reject(coordinator.final) : coordinator.firstReady)
    if (typeof listener !== 'function') return settle(readyInTime(outcome, listener, () => this.status))
    if (coordinator.wasReady || coordinator.final)
      settle(outcome, (error) => listener.call(this, error ?? undefined))
    else this.on('ready', listener)
    return undefined
  }

  /** Listens for `reconnect`. */
  onreconnect(listener: TokenSocketEvents['reconnect']): void {
    checkFunction('listener', listener)
    this.on('reconnect', listener)
  }

  /**
   * Runs a callback on each connection, the first one included: when the subscriptions are
   * restored, and before the calls that wait go out. What is called or notified until it is done
   * goes out at once. It is done when the promise that it returns settles, or after `callTimeout`.
   * Callbacks start in the order of their registration, and do not wait for each other. While there
   * is such a connection already, the callback runs at once, and nothing waits for it.
   *
   * What it throws, or rejects with, and `timeout`, come as an `error` event. If the connection is
   * lost meanwhile, the next one runs it again.
   * @returns a function that undoes this
   * @throws RpcError `bad_message` unless it is a function
   */
  onrestored(callback: () => unknown): () => void {
    checkFunction('callback', callback)
    return this.#coordinator.whenRestored(callback)
  }

  /** Listens for `message`. */
  onmessage(listener: TokenSocketEvents['message']): void {
    checkFunction('listener', listener)
    this.on('message', listener)
  }

  /** The names of the channels that this socket is subscribed to, or will be as soon as it can. */
  channels(): string[] {
    return this.#coordinator.subscriptions.channels
  }

  /**
   * Puts other functions in the place of all those that the server may call. Calls that run go on.
   * @throws RpcError `bad_message` unless it is an object
   */
  register(actions: ClientController): void {
    if (typeof actions !== 'object') throw badArgument('actions', 'object')
    this.actions = actions
  }

  /**
   * The function that a call of the server runs: an own property of {@link actions}, by its dotted
   * name. A library that brings functions of its own puts a method of its own here, which asks this
   * one for those that it does not know.
   */
  findAction(name: string): ClientAction | undefined {
    return findAction(this.actions, name)
  }

  /**
   * Calls a function of the server's controller.
   *
   * It settles exactly once: with the answer; the function's error; `timeout`; `aborted`; `connection_lost` if it was
   * sent and the connection broke before the answer, so that no one knows whether it ran; `queue_full`;
   * `too_many_calls`; `unserializable`; `ended`, or why the socket failed for good.
   *
   * @param name dotted
   * @param rest the data, anything that JSON can carry, and a callback `(error, answer)` or
   *   `{ timeout, signal }`; a callback in place of the data is taken for one
   * @typeParam Data what it answers, where the socket does not know its server's functions
   */
  rpc<Data = unknown, Name extends FunctionNames<Functions> = FunctionNames<Functions>>(
    name: Name,
    ...rest: CallArguments<Functions, Name, Data>
  ): Promise<CallAnswer<Functions, Name, Data>>
  rpc(name: string, data?: unknown, rest?: unknown): Promise<unknown> {
    if (typeof data === 'function' && rest === undefined) {
      return (this as TokenSocket).rpc(name, undefined, data as Callback)
    }
    const [callback, options] = split(rest as Callback | CallOptions | undefined)
    const answer = this.#request(
      (id) => ({
        type: 'call',
        id,
        name: checkedName('name', name),
        data,
        timeout: options?.timeout,
      }),
      options,
      name,
    )
    return settle(answer, callback, this.#plainErrors)
  }

  /**
   * Calls a function of the server's controller without an answer. Resolves when it is sent; while
   * the socket is away it waits among the calls, in order. What the function fails with comes as an
   * `error` event, whose `data.function` is its name.
   *
   * Fails as {@link rpc} does before it is sent: with `queue_full`, `timeout`, `too_large`,
   * `unserializable`, `ended`, or why the socket failed for good. A server that takes no
   * notifications is called, and its answer is dropped.
   *
   * @param name dotted
   * @param rest the data, anything that JSON can carry, and a callback
   */
  notify<Name extends FunctionNames<Functions>>(
    name: Name,
    ...rest: NotifyArguments<Functions, Name>
  ): Promise<void>
  notify(name: string, data?: unknown, callback?: unknown): Promise<void> {
    this.#coordinator.requestConnection()
    return settle(
      this.#coordinator.calls.notify(name, data).then(nothing),
      callback as Callback<void> | undefined,
      this.#plainErrors,
    )
  }

  /**
   * Sends a message to the server that belongs to no channel and no call: its event `message`. Resolves when the server's
   * listeners have it. It waits, and fails, as {@link rpc} does; with `unsupported` if the server has no listener, or takes no
   * such messages.
   * @param data anything that JSON can carry
   */
  send(data: unknown, options?: CallOptions): Promise<void> {
    return settle(this.#request((id) => ({ type: 'send', id, data }), options).then(nothing))
  }

  /**
   * Subscribes to a channel: its messages come as `message` events, and after a loss it is subscribed to again.
   * Settles when the server has answered; while the socket is away it waits. A later `unsubscribe` fails it with
   * `aborted` if it was not sent yet. Harmless when subscribed already.
   */
  subscribe(channel: string, callback?: Callback<void>): Promise<void> {
    this.#coordinator.requestConnection()
    return settle(this.#coordinator.subscriptions.subscribe(channel), callback, this.#plainErrors)
  }

  /**
   * Unsubscribes from a channel. From now on no message of it comes as an event. Settles when the server has answered, or
   * at once while the socket is away. If the server refuses, the channel stays subscribed.
   */
  unsubscribe(channel: string, callback?: Callback<void>): Promise<void> {
    return settle(this.#coordinator.subscriptions.unsubscribe(channel), callback, this.#plainErrors)
  }

  /**
   * A channel, the same object for a name until it is released. It is subscribed to when a handler is bound to it.
   * @param options `token` gives a token of its own, see {@link ChannelOptions}
   * @throws RpcError `bad_message` for a name that is no text, or empty; `bad_option` for a wrong token
   */
  channel(name: string, options?: ChannelOptions): Channel {
    return this.#coordinator.channels.get(name, options)
  }

  /**
   * Calls a handler with each message of an event, or of all events that an expression matches: on any channel that is
   * subscribed to, or on one, which is then subscribed to.
   * @throws RpcError `bad_message` for an argument of a wrong type
   */
  bind<Data = unknown>(
    event: string | RegExp,
    handler: Handler<Data>,
    options?: { readonly channel?: string | undefined },
  ): Binding<Channel | undefined> {
    const channel = options?.channel
    return channel === undefined
      ? this.#coordinator.channels.bind(event, handler as Handler)
      : this.channel(channel).bind(event, handler)
  }

  /** Takes away the handlers of an event, or of all, that were bound by {@link bind}; of one channel, or of none. */
  unbind(event?: string | RegExp, options?: { readonly channel?: string | undefined }): void {
    const channel = options?.channel
    if (channel === undefined) this.#coordinator.channels.unbind(event)
    else this.channel(channel).unbind(event)
  }

  /** Closes the connection, and keeps everything else until {@link resume}: calls wait, subscriptions are remembered. */
  suspend(): void {
    this.#coordinator.suspend()
  }

  /** Connects again after {@link suspend}, and subscribes to the channels again. */
  resume(): void {
    this.#coordinator.resume()
  }

  /**
   * Sends a frame as it is, now; see docs/PROTOCOL.md.
   * @throws RpcError `connection_lost` while the socket is away; `too_large`; `bad_message` for what is no text
   */
  sendRaw(text: string): void {
    if (typeof text !== 'string') throw badArgument('text', 'string')
    const { link } = this.#coordinator.connector
    if (!link) throw new RpcError('connection_lost', SOCKET_AWAY)
    link.sendText(text, { name: 'sendRaw' })
  }

  /**
   * Publishes a message on a channel. Resolves when the server has taken it; fails as {@link rpc} does. To the legacy
   * server, which answers refusals only, it resolves with nothing, when sent, and a refusal comes as an `error` event.
   * @param rest a callback `(error, receipt)`, or `{ event, idempotencyKey }`
   */
  publish(
    channel: string,
    data: unknown,
    rest?: Callback<Receipt | undefined> | PublishOptions,
  ): Promise<Receipt | undefined> {
    const [callback, { event, idempotencyKey: key } = {}] = split(rest)
    const answer = this.#request((id) => {
      checkedName('channel', channel)
      if (event) checkedName('event', event)
      if (key) checkedName('idempotencyKey', key)
      return { type: 'publish', id, channel, data, event: event || undefined, key: key || undefined }
    })
    return settle(answer.then(receiptOf), callback, this.#plainErrors)
  }

  /**
   * Reads a page of what a channel keeps, oldest first: up to 100 publications, fewer if they are large. The next page is
   * `after` the id of the last one (with `reverse`, `before` it); the end is an empty page. Fails as {@link rpc} does, and
   * with `forbidden` for a channel that this socket may not read.
   * @param query `after` and `before` are ids of publications that are not wanted themselves; `limit` is 100 at most;
   *   `reverse` gives the latest first
   */
  history(channel: string, query: HistoryQuery = {}): Promise<readonly PublicationDetails[]> {
    const answer = this.#request((id) => {
      return { ...query, type: 'history', id, channel: checkedName('channel', channel) }
    })
    return settle(answer.then(publicationsOf))
  }

  /** Publishes a message on every channel. Settles as {@link publish} does. */
  broadcast(data: unknown, callback?: Callback<void>): Promise<void> {
    const answer = this.#request((id) => ({ type: 'broadcast', id, data }))
    return settle(answer.then(nothing), callback, this.#plainErrors)
  }

  /**
   * Ends the socket for good, whatever it is doing. Listeners of `ready`, `reconnect` and `message` are removed; all that
   * waits fails with `ended`, and so does every later call. Resolves when the connection is closed, after 2 s at the
   * latest. Harmless when ended already.
   */
  end(callback?: () => void): Promise<void> {
    if (!this.#end) {
      for (const event of ['ready', 'reconnect', 'message'] as const) this.removeAllListeners(event)
      this.#end = this.#coordinator.connector.end()
    }
    return settle(this.#end, typeof callback === 'function' ? () => callback() : undefined)
  }

  #request(...call: Parameters<Calls['request']>): Promise<unknown> {
    this.#coordinator.requestConnection()
    return this.#coordinator.calls.request(...call)
  }
}

function nothing(): void {}

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
 * A socket to a TokenSocket server: calls both ways and channels, on a connection that reconnects.
 *
 * It connects at once. Calls wait until it is ready, and while it is disconnected. A rejected
 * promise that is not awaited never becomes an unhandled rejection. An error that a listener or a
 * callback throws reaches neither the library nor another listener: it is thrown again, uncaught.
 * `this` in a listener is the socket.
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
  /** The option `callTimeout`, or its default: milliseconds for a call that names no `timeout`. */
  readonly callTimeout: number
  /** The option `queueSize`, or its default: how many calls may wait. */
  readonly queueSize: number
  readonly #coordinator: SocketCoordinator
  readonly #plainErrors: boolean
  #end: Promise<void> | undefined

  /**
   * Connects.
   * @param actions functions `(data, callback, call)` that the server may call; they return the
   *   answer or its promise, or call back
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

  /** The state of the connection; the `state` event reports each change. */
  get state(): ConnectionState {
    return this.#coordinator.connector.status.state
  }

  /** The state, the last failure, and when the next attempt is. A new, immutable object each time. */
  get status(): SocketStatus {
    return this.#coordinator.connector.status
  }

  /** `websocket`, or SockJS's name such as `xhr-streaming`. `undefined` while it is disconnected. */
  get transport(): string | undefined {
    return this.#coordinator.connector.link?.transport
  }

  /** The connection's id. `undefined` while it is disconnected, and on the legacy server. */
  get sid(): string | undefined {
    return this.#coordinator.connector.link?.session?.sid
  }

  /** The id of the socket's user, as other users see it. */
  get uid(): string | undefined {
    return this.#coordinator.session?.uid
  }

  /** User metadata (`umd`), which other members see in addition to the `uid`. */
  get umd(): unknown {
    return this.#coordinator.session?.umd
  }

  /**
   * The socket's authorization as the server reported it last, as a new object each time.
   * `undefined` until the socket is ready, and on the legacy server.
   */
  get session(): Session | undefined {
    return this.#coordinator.said
  }

  /**
   * Requests a new token, and sends it on the open connection. Resolves when the server has accepted
   * it. A disconnected socket sends one when it connects. Overlapping calls share one request. The
   * socket reconnects if it has the option `url`, if the server accepts no new token, or if the
   * token is another user's. Rejects with the error that refuses it; retries what is temporary.
   * @example
   * await socket.refresh() // after the user's role has changed
   */
  refresh(): Promise<void> {
    this.#coordinator.requestConnection()
    const coordinator = this.#coordinator
    return coordinator.final ? settle(Promise.reject(coordinator.final)) : coordinator.renewal.refresh()
  }

  /**
   * Resolves when the socket is ready for the first time. Rejects if it has failed or ended. With
   * `timeout`, it rejects after that many milliseconds; `cause` is the last failure. The socket
   * keeps trying.
   * @example
   * await socket.ready({ timeout: 10_000 })
   */
  ready(options?: ReadyOptions): Promise<void>
  /**
   * Listens for `ready`. If the socket was ready before, the listener is called soon.
   * @example
   * socket.ready((error) => console.log(error ?? 'ready'))
   */
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

  /**
   * Listens for `reconnect`.
   * @example
   * socket.onreconnect((error) => console.log(error ?? 'connected again'))
   */
  onreconnect(listener: TokenSocketEvents['reconnect']): void {
    checkFunction('listener', listener)
    this.on('reconnect', listener)
  }

  /**
   * Runs a callback on each connection, including the first: after the subscriptions are restored,
   * and before waiting calls are sent. Calls that the callback makes are sent at once. The callback
   * ends when its promise settles, or after `callTimeout`. Several callbacks run at the same time,
   * started in order. On an open connection the callback runs at once, and nothing waits for it.
   * Its errors, and `timeout`, become `error` events. The next connection runs it again.
   * @returns a function that removes the callback
   * @throws RpcError `bad_message` unless it is a function
   * @example
   * socket.onrestored(() => socket.rpc('cart.load'))
   */
  onrestored(callback: () => unknown): () => void {
    checkFunction('callback', callback)
    return this.#coordinator.whenRestored(callback)
  }

  /**
   * Listens for `message`.
   * @example
   * socket.onmessage((channel, message) => console.log(channel, message))
   */
  onmessage(listener: TokenSocketEvents['message']): void {
    checkFunction('listener', listener)
    this.on('message', listener)
  }

  /**
   * Returns the names of the channels that it is subscribed to, or subscribes to when it can.
   * @example
   * console.log(socket.channels()) // ['news']
   */
  channels(): string[] {
    return this.#coordinator.subscriptions.channels
  }

  /**
   * Replaces all functions that the server may call. Running calls continue.
   * @throws RpcError `bad_message` unless it is an object
   * @example
   * socket.register({ confirm: (text) => window.confirm(String(text)) })
   */
  register(actions: ClientController): void {
    if (typeof actions !== 'object') throw badArgument('actions', 'object')
    this.actions = actions
  }

  /**
   * Returns the function that a call of the server runs: an own property of {@link actions}, by its
   * dotted name. A library with functions of its own may replace this method.
   * @example
   * socket.findAction('cart.show') // the function `show` of the action `cart`
   */
  findAction(name: string): ClientAction | undefined {
    return findAction(this.actions, name)
  }

  /**
   * Calls a function of the server's controller.
   *
   * It settles exactly once: with the answer; the function's error; `timeout`; `aborted`;
   * `connection_lost` if the connection broke before the answer, so that it may have run;
   * `queue_full`; `too_many_calls`; `unserializable`; `ended`, or why the socket failed for good.
   * @param name dotted
   * @param rest the data, anything that JSON can carry; then a callback `(error, answer)` or
   *   `{ timeout, signal }`. A callback may stand instead of the data
   * @typeParam Data the answer, where the socket does not know its server's functions
   * @example
   * const person = await socket.rpc('people.find', { name: 'Ann' })
   * const report = await socket.rpc('reports.year', 2026, { timeout: 120_000 })
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
   * Calls a function of the server's controller without an answer. Resolves when it is sent. While
   * the socket is disconnected it waits in order with the calls. A failure of the function becomes
   * an `error` event, whose `data.function` is its name. Before it is sent, it fails as {@link rpc}
   * does. A server that does not support notifications gets a call, and its answer is dropped.
   * @param name dotted
   * @param rest the data, anything that JSON can carry; then a callback
   * @example
   * await socket.notify('orders.viewed', { id: 7 })
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
   * Sends a message that belongs to no channel and no call: the server's event `message`. Resolves
   * when the server's listeners have it. It waits and fails as {@link rpc} does, and with
   * `unsupported` if the server has no listener, or does not support such messages.
   * @param data anything that JSON can carry
   * @example
   * await socket.send({ latitude: 47.4, longitude: 8.5 })
   */
  send(data: unknown, options?: CallOptions): Promise<void> {
    return settle(this.#request((id) => ({ type: 'send', id, data }), options).then(nothing))
  }

  /**
   * Subscribes to a channel: its messages become `message` events. The subscription is restored
   * after each reconnect. Settles when the server has answered; while the socket is disconnected it
   * waits. An `unsubscribe` before it is sent fails it with `aborted`.
   * @example
   * await socket.subscribe('news')
   */
  subscribe(channel: string, callback?: Callback<void>): Promise<void> {
    this.#coordinator.requestConnection()
    return settle(this.#coordinator.subscriptions.subscribe(channel), callback, this.#plainErrors)
  }

  /**
   * Unsubscribes from a channel: none of its messages becomes an event from now on. Settles when the
   * server has answered, or at once while the socket is disconnected. If the server refuses, the
   * socket stays subscribed.
   * @example
   * await socket.unsubscribe('news')
   */
  unsubscribe(channel: string, callback?: Callback<void>): Promise<void> {
    return settle(this.#coordinator.subscriptions.unsubscribe(channel), callback, this.#plainErrors)
  }

  /**
   * Returns a channel: the same object for a name until it is released. Binding a handler subscribes.
   * @param options `token` gives a token for this channel, see {@link ChannelOptions}
   * @throws RpcError `bad_message` for a name that is no text, or empty; `bad_option`
   * @example
   * socket.channel('news').bind('published', ({ data }) => console.log(data))
   */
  channel(name: string, options?: ChannelOptions): Channel {
    return this.#coordinator.channels.get(name, options)
  }

  /**
   * Calls a handler with each message of an event, or of the events that an expression matches: on
   * any channel, or on one, to which it then subscribes.
   * @throws RpcError `bad_message` for an argument of a wrong type
   * @example
   * socket.bind('published', ({ channel, data }) => console.log(channel, data))
   * socket.bind(/^order/, ({ event }) => console.log(event), { channel: 'shop' })
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

  /**
   * Removes handlers that {@link bind} added: of an event or all, for any channel or for one.
   * @example
   * socket.unbind('published')
   */
  unbind(event?: string | RegExp, options?: { readonly channel?: string | undefined }): void {
    const channel = options?.channel
    if (channel === undefined) this.#coordinator.channels.unbind(event)
    else this.channel(channel).unbind(event)
  }

  /**
   * Closes the connection until {@link resume}. Calls wait, and subscriptions are remembered.
   * @example
   * document.onvisibilitychange = () => (document.hidden ? socket.suspend() : socket.resume())
   */
  suspend(): void {
    this.#coordinator.suspend()
  }

  /**
   * Reconnects after {@link suspend}, and restores the subscriptions.
   * @example
   * socket.resume()
   */
  resume(): void {
    this.#coordinator.resume()
  }

  /**
   * Sends a frame as it is, now; see docs/PROTOCOL.md.
   * @throws RpcError `connection_lost` while it is disconnected; `too_large`; `bad_message`
   * @example
   * socket.sendRaw('{"rpc":"people.find","req":{"name":"Ann"},"uuid":"1"}')
   */
  sendRaw(text: string): void {
    if (typeof text !== 'string') throw badArgument('text', 'string')
    const { link } = this.#coordinator.connector
    if (!link) throw new RpcError('connection_lost', SOCKET_AWAY)
    link.sendText(text, { name: 'sendRaw' })
  }

  /**
   * Publishes a message on a channel. Resolves when the server has accepted it; fails as {@link rpc}
   * does. The legacy server answers refusals only: it resolves with `undefined` when it is sent, and
   * a refusal becomes an `error` event.
   * @param rest a callback `(error, receipt)`, or `{ event, idempotencyKey }`
   * @example
   * const receipt = await socket.publish('news', { title: 'Hello' }, { event: 'published' })
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
   * Reads a page of a channel's history, the oldest publication first: up to 100 publications, fewer
   * if they are large. For the next page, pass the last `id` as `after` (with `reverse`, as
   * `before`), until a page is empty. Fails as {@link rpc} does, and with `forbidden`.
   * @param query `after` and `before` exclude the publications that they name; `limit` is 100 at
   *   most; `reverse` returns the latest first
   * @example
   * const latest = await socket.history('news', { reverse: true, limit: 20 })
   * const older = await socket.history('news', { reverse: true, before: latest.at(-1)?.id })
   */
  history(channel: string, query: HistoryQuery = {}): Promise<readonly PublicationDetails[]> {
    const answer = this.#request((id) => {
      return { ...query, type: 'history', id, channel: checkedName('channel', channel) }
    })
    return settle(answer.then(publicationsOf))
  }

  /**
   * Publishes a message on every channel. Settles as {@link publish} does.
   * @example
   * await socket.broadcast('The shop closes in five minutes')
   */
  broadcast(data: unknown, callback?: Callback<void>): Promise<void> {
    const answer = this.#request((id) => ({ type: 'broadcast', id, data }))
    return settle(answer.then(nothing), callback, this.#plainErrors)
  }

  /**
   * Ends the socket for good. Listeners of `ready`, `reconnect` and `message` are removed. Waiting
   * and later calls fail with `ended`. Resolves when the connection is closed, within 2 s.
   * @example
   * await socket.end()
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

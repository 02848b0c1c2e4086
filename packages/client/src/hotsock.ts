/**
 * The class and the calls of Hotsock's client, over a TokenSocket: code for `@hotsock/hotsock-js`
 * changes one import. `docs/HOTSOCK.md` says what differs.
 *
 * @module @token-socket/client/hotsock
 */

import {
  errorMessage,
  type HotsockBinding,
  type HotsockChannelBinding,
  type HotsockChannelInfo,
  type HotsockClientOptions,
  type HotsockMessage,
  type MessageHandlerFn,
  type SubscribeTokenFn,
  socketOptions,
} from './hotsock-options.js'
import { type Binding, type Channel, type Member, TokenSocket } from './index.js'
import { runIsolated } from './runtime/callback.js'

export type {
  HotsockBinding,
  HotsockChannelBinding,
  HotsockChannelInfo,
  HotsockClientOptions,
  HotsockLogger,
  HotsockMessage,
  LoadTokenFn,
  MessageHandlerFn,
  SubscribeTokenFn,
} from './hotsock-options.js'

/** The identity of a {@link HotsockClient} while it is connected. */
export interface HotsockConnection {
  readonly connectionId: string | undefined
  readonly uid: string | undefined
  readonly umd: unknown
  /** When its authorization ends. */
  readonly connectionExpiresAt: Date | undefined
}

/** Options of a handler. */
export interface HotsockBindOptions {
  /** Subscribes to this channel, and handles its messages only. @default any subscribed channel */
  readonly channel?: string | undefined
  /** Returns a token for this channel. @default the connection's permissions count */
  readonly subscribeTokenFn?: SubscribeTokenFn | undefined
}

/** Binds a handler. With a channel in the options, the binding has a channel. */
export interface HotsockBindFn {
  <Data = unknown>(
    event: string | RegExp,
    messageFn: MessageHandlerFn<Data>,
    options: HotsockBindOptions & { readonly channel: string },
  ): HotsockChannelBinding
  <Data = unknown>(
    event: string | RegExp,
    messageFn: MessageHandlerFn<Data>,
    options?: HotsockBindOptions,
  ): HotsockBinding
}

/** A handler, its options, and the binding that keeps its channel subscribed. */
interface Bound extends HotsockBinding {
  readonly place: string | undefined
  readonly subscribeTokenFn: SubscribeTokenFn | undefined
  readonly messageFn: (event: never) => void
  held: Binding<Channel> | undefined
}

/** Reasons of a lost connection that are no WebSocket errors. */
const WANTED = /^(suspended|page_left)$/

/** Matches every event: its binding keeps a channel subscribed, and does nothing else. */
const ALL = /(?:)/
const nothing = () => {}

/**
 * Hotsock's client, on a TokenSocket server. As there, its functions work without the object.
 * What a handler throws is thrown again on its own.
 *
 * @example
 * import { HotsockClient } from '@token-socket/client/hotsock'
 *
 * const connectTokenFn = async () => (await fetch('/connect-token')).text()
 * const client = new HotsockClient('wss://example.com', { connectTokenFn })
 * client.channels('room').bind('chat', ({ data }) => console.log(data))
 */
export class HotsockClient {
  /** The URL of the constructor. */
  readonly webSocketUrl: string
  readonly #options: HotsockClientOptions
  readonly #bindings = new Set<Bound>()
  /** The channels whose events become messages. */
  readonly #watched = new Set<Channel>()
  #socket: TokenSocket

  /**
   * Connects, unless it is lazy.
   * @throws TypeError for a wrong URL, token function or interval; RpcError `bad_option` for others
   */
  constructor(webSocketUrl: string, options: HotsockClientOptions) {
    this.webSocketUrl = webSocketUrl
    this.#options = { ...options }
    this.#socket = this.#open()
  }

  /**
   * The underlying socket, for what Hotsock does not have. It is a new one after `terminate`, and
   * after a `resume` of a failed one.
   */
  get socket(): TokenSocket {
    return this.#socket
  }

  /** The identity of this client. */
  get activeConnection(): HotsockConnection {
    const { sid, uid, umd, session } = this.#socket
    const expiresAt = session?.expiresAt
    const connectionExpiresAt = expiresAt === undefined ? undefined : new Date(expiresAt)
    return { connectionId: sid, uid, umd, connectionExpiresAt }
  }

  /**
   * Calls a handler with the messages of an event, or of all that an expression matches. With a
   * channel it subscribes, and connects again after `terminate`.
   * @throws TypeError unless it is a function
   */
  readonly bind: HotsockBindFn = <Data>(
    event: string | RegExp,
    messageFn: MessageHandlerFn<Data>,
    { channel: place, subscribeTokenFn }: HotsockBindOptions = {},
  ): HotsockChannelBinding => {
    if (typeof messageFn !== 'function') throw new TypeError('messageFn must be a function')
    if (place && this.#socket.state === 'ended') this.#socket = this.#open()
    const bound: Bound = {
      event,
      place,
      messageFn,
      subscribeTokenFn,
      held: undefined,
      get channel() {
        return bound.held?.channel
      },
      unbind: () => this.#remove(bound),
    }
    this.#bindings.add(bound)
    this.#hold(bound)
    return bound as HotsockChannelBinding
  }

  /** Removes the handlers of an event, or one of them: those of a channel, or of none. */
  readonly unbind = <Data = unknown>(
    event: string | RegExp,
    options: {
      readonly channel?: string | undefined
      readonly messageFn?: MessageHandlerFn<Data> | undefined
    } = {},
  ): void => {
    const { channel, messageFn } = options
    for (const bound of [...this.#bindings]) {
      const isMeant = bound.place === channel && String(bound.event) === String(event)
      if (isMeant && (messageFn ?? bound.messageFn) === bound.messageFn) bound.unbind()
    }
  }

  /** Returns a channel: binding a handler subscribes. */
  readonly channels = (channel: string): HotsockChannel => new HotsockChannel(this, channel)

  /**
   * Publishes an event on a channel, when the client is connected. A failure becomes a
   * `hotsock.error`.
   * @throws TypeError without an event, or without a channel
   */
  readonly sendMessage = (
    event: string,
    { channel, data }: { readonly channel?: string | undefined; readonly data?: unknown } = {},
  ): void => {
    if (!event) throw new TypeError('event must be provided')
    // Of Hotsock's own messages, those about the connection have no effect here.
    if (!channel && event.startsWith('hotsock.')) return
    if (!channel) throw new TypeError('channel must be provided')
    this.#request(channel, event, data).catch((error) => this.#deliver(errorMessage(error, channel)))
  }

  /**
   * The same for a message of Hotsock's as text: `{"event","channel","data"}`.
   * @throws SyntaxError unless it is JSON
   */
  readonly sendRawMessage = (text: string): void => {
    const { event, ...options } = Object(JSON.parse(text))
    this.sendMessage(event, options)
  }

  /** Closes the connection. The bindings stay. */
  readonly suspend = (): void => this.#socket.suspend()

  /** Reconnects, also after a failed sign-in, and restores the subscriptions. */
  readonly resume = (): void => {
    if (!/^(ended|failed)$/.test(this.#socket.state)) return this.#socket.resume()
    this.#socket = this.#open()
    for (const bound of this.#bindings) this.#hold(bound)
  }

  /** Closes the connection, and removes all handlers. */
  readonly terminate = (): void => {
    this.#socket.end()
    this.#bindings.clear()
  }

  #open(): TokenSocket {
    const socket = new TokenSocket(socketOptions(this.webSocketUrl, this.#options))
    this.#watched.clear()
    socket.bind(ALL, (message) => {
      const { event = '', meta = {} } = message
      this.#deliver({ ...message, event, meta })
    })
    socket.on('frameIn', (data) => this.#call('@@message', { data }))
    socket.on('frameOut', (text) => this.#call('@@messageSent', text))
    socket.on('connect', () => {
      const { sid: connectionId, uid, umd } = socket
      this.#call('@@connect', { type: 'open' })
      this.#deliver({ event: 'hotsock.connected', data: { connectionId }, meta: { uid, umd } })
    })
    socket.on('disconnect', ({ data, message: reason }) => {
      const { code = 1006 } = Object(data) as { readonly code?: number }
      this.#call('@@disconnect', { type: 'close', code, reason })
    })
    socket.on('state', (_state, { error }) => {
      if (error && !WANTED.test(Object(error.data).reason)) this.#call('@@error', { type: 'error', error })
    })
    socket.on('error', (error) => this.#deliver(errorMessage(error)))
    socket.on('ready', (error) => error && this.#options.connectTokenErrorFn?.(error))
    return socket
  }

  /** Returns the channel of a name, and listens to its own events. */
  #channel(name: string): Channel {
    const channel = this.#socket.channel(name)
    if (this.#watched.has(channel)) return channel
    this.#watched.add(channel)
    const tell = (event: string, data: object) => {
      const { uid, umd } = channel
      this.#deliver({ event: `hotsock.${event}`, channel: name, data, meta: { uid, umd } })
    }
    const about = (event: string) => (member: Member) => tell(event, { member, members: channel.members })
    channel.on('subscribed', () => tell('subscribed', { members: channel.members }))
    channel.on('unsubscribed', () => tell('unsubscribed', {}))
    channel.on('joined', about('memberAdded'))
    channel.on('left', about('memberRemoved'))
    channel.on('updated', about('memberUpdated'))
    channel.on('refused', (error) => this.#deliver(errorMessage(error, name)))
    return channel
  }

  /** Subscribes for a handler, with its options: each new socket needs it again. */
  #hold(bound: Bound): void {
    const { place, subscribeTokenFn } = bound
    if (!place) return
    const channel = this.#channel(place)
    if (subscribeTokenFn) channel.token = subscribeTokenFn
    bound.held = channel.bind(ALL, nothing)
  }

  #remove(bound: Bound): void {
    if (this.#bindings.delete(bound)) bound.held?.unbind()
  }

  async #request(channel: string, event: string, data: unknown): Promise<unknown> {
    if (event === 'hotsock.subscribe') return this.#channel(channel).subscribe()
    if (event === 'hotsock.unsubscribe') return this.#channel(channel).unsubscribe()
    return this.#socket.publish(channel, data, { event })
  }

  /** Calls the handlers of a message. */
  #deliver(message: HotsockMessage): void {
    this.#call(message.event, message, message.channel)
  }

  #call(name: string, event: unknown, channel?: string): void {
    const isSpecial = name.startsWith('@@')
    for (const bound of [...this.#bindings]) {
      const isMeant =
        typeof bound.event === 'string' ? bound.event === name : !isSpecial && name.search(bound.event) >= 0
      const isThere = bound.place === undefined || bound.place === channel
      if (isMeant && isThere && this.#bindings.has(bound)) runIsolated(() => bound.messageFn(event as never))
    }
  }
}

/** One channel of a {@link HotsockClient}. Made by `channels`. */
export class HotsockChannel implements HotsockChannelInfo {
  readonly name: string
  /**
   * Sets a token for this channel, for handlers that are bound later.
   * @default the connection's permissions count
   */
  subscribeTokenFn: SubscribeTokenFn | undefined
  readonly #client: HotsockClient

  /** @internal */
  constructor(client: HotsockClient, name: string) {
    this.#client = client
    this.name = name
  }

  get uid(): string | undefined {
    return this.#client.socket.channel(this.name).uid
  }

  get umd(): unknown {
    return this.#client.socket.channel(this.name).umd
  }

  get members(): readonly Member[] {
    return this.#client.socket.channel(this.name).members
  }

  /** Subscribes, and calls a handler with the messages of an event. */
  readonly bind = <Data = unknown>(
    event: string | RegExp,
    messageFn: MessageHandlerFn<Data>,
  ): HotsockChannelBinding => {
    const { name: channel, subscribeTokenFn } = this
    return this.#client.bind(event, messageFn, { channel, subscribeTokenFn })
  }

  /** Removes the handlers of an event, or one of them. Removing the last one unsubscribes. */
  readonly unbind = <Data = unknown>(
    event: string | RegExp,
    options: { readonly messageFn?: MessageHandlerFn<Data> | undefined } = {},
  ): void => this.#client.unbind(event, { ...options, channel: this.name })

  /** Publishes; see the client's. */
  readonly sendMessage = (event: string, options: { readonly data?: unknown } = {}): void =>
    this.#client.sendMessage(event, { data: options.data, channel: this.name })
}

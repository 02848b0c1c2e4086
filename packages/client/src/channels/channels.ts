import type { SubscriptionNotice } from '@token-socket/protocol'
import { badOption } from '@token-socket/protocol'
import { checkedName } from '../settings/bad-argument.js'
import { type Binding, Bindings, type Handler } from './bindings.js'
import { Channel, type ChannelOptions, type ChannelSocket, type LeaveReason } from './channel.js'
import type { PublicationDetails } from './publications.js'

/** Sends subscriptions and unsubscriptions to the server. */
export interface ChannelSubscriptions {
  /** Subscribes to a channel for its handlers. */
  bound(channel: string): void
  /** Cancels {@link bound}. @param isAll cancels `subscribe` as well */
  unbound(channel: string, isAll: boolean): void
  /** Whether the server sends a channel's messages. */
  isOn(channel: string): boolean
}

/**
 * The channel objects of a socket: those that the application has requested, and those with members
 * or an identity of their own. Other channels need no object.
 */
export class Channels {
  readonly #channels = new Map<string, Channel>()
  /** Handlers for the messages of any channel. */
  readonly #bindings = new Bindings<undefined>(undefined)
  readonly #subscriptions: ChannelSubscriptions
  readonly #socket: ChannelSocket

  readonly #requestConnection: () => void
  /** The connection of the latest notice. */
  #link: unknown

  /** @param need makes a lazy socket connect */
  constructor(subscriptions: ChannelSubscriptions, socket: ChannelSocket, need: () => void) {
    this.#subscriptions = subscriptions
    this.#requestConnection = need
    this.#socket = socket
  }

  /** Returns the channel of a name: the same object until it is released. */
  get(name: string, options?: ChannelOptions): Channel {
    const token = options?.token
    if (token && typeof token !== 'function') throw badOption('token', 'a function')
    const isNew = !this.find(checkedName('channel', name))
    const channel = this.#make(name)
    channel.isHeld = true
    // It was subscribed to before the object was made.
    if (isNew && this.#subscriptions.isOn(name)) channel.link = this.#link
    if (token) channel.token = token
    return channel
  }

  /** Returns the channel of a name, if it has an object. */
  find(name: string): Channel | undefined {
    return this.#channels.get(name)
  }

  /** Binds a handler to an event on any channel, without subscribing. */
  bind(event: string | RegExp, handler: Handler): Binding {
    return this.#bindings.add(event, handler)
  }

  /** Removes handlers that {@link bind} added. */
  unbind(event?: string | RegExp, handler?: Handler): void {
    this.#bindings.remove(event, handler)
  }

  /** A handler was bound. The channel's own events report the outcome. */
  bound(name: string): void {
    this.#requestConnection()
    this.#subscriptions.bound(name)
  }

  /** The last handler was removed. */
  unbound(name: string): void {
    this.#subscriptions.unbound(name, false)
  }

  /** The application has released the object. */
  drop(name: string): void {
    this.#channels.delete(name)
    this.#subscriptions.unbound(name, true)
  }

  /** Delivers a message. */
  deliver(message: PublicationDetails): void {
    this.find(message.channel)?.deliver(message)
    this.#bindings.deliver(message)
  }

  /** The server has subscribed this socket to a channel. @param link see {@link Channel.entered} */
  entered(notice: SubscriptionNotice, link: unknown, isEarly: boolean): void {
    const { channel, members, uid, umd } = notice
    this.#link = link
    const isTelling = members ?? uid ?? umd
    const entered = isTelling === undefined ? this.find(channel) : this.#make(channel)
    entered?.entered(notice, isEarly && entered.isOn ? undefined : link)
  }

  /**
   * This socket has left a channel. @param by why; `undefined` if the subscription is forgotten as
   * well
   */
  left(name: string, by?: LeaveReason): void {
    const channel = this.find(name)
    channel?.left(by)
    if (!by && channel?.isHeld === false) this.#channels.delete(name)
  }

  /** The socket has ended: no message follows. */
  close(): void {
    this.#bindings.clear()
    for (const channel of this.#channels.values()) channel.close()
  }

  #make(name: string): Channel {
    const channel = this.find(name) ?? new Channel(name, this.#socket, this)
    this.#channels.set(name, channel)
    return channel
  }
}

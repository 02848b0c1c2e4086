import type { SubscriptionNotice } from '@token-socket/protocol'
import { badOption } from '@token-socket/protocol'
import { checkedName } from '../settings/bad-argument.js'
import { type Binding, Bindings, type Handler } from './bindings.js'
import { Channel, type ChannelOptions, type ChannelSocket, type LeaveReason } from './channel.js'
import type { PublicationDetails } from './publications.js'

/** Says on the wire which channels are desired. */
export interface ChannelSubscriptions {
  /** Desires a channel for its bindings. */
  bound(channel: string): void
  /** Takes {@link bound} back. @param isAll takes `subscribe` back, too */
  unbound(channel: string, isAll: boolean): void
  /** Whether the server sends a channel. */
  isOn(channel: string): boolean
}

/**
 * The channels of a socket that the application has asked for, or that the server says something
 * about apart from their messages: who is there, or who this socket is there. The others need no
 * object.
 */
export class Channels {
  readonly #channels = new Map<string, Channel>()
  /** Handlers for the messages of any channel. */
  readonly #bindings = new Bindings<undefined>(undefined)
  readonly #subscriptions: ChannelSubscriptions
  readonly #socket: ChannelSocket

  readonly #requestConnection: () => void
  /** The connection of the last notice. */
  #link: unknown

  /** @param need makes a socket that waits for a reason connect */
  constructor(subscriptions: ChannelSubscriptions, socket: ChannelSocket, need: () => void) {
    this.#subscriptions = subscriptions
    this.#requestConnection = need
    this.#socket = socket
  }

  /** The channel of a name, the same object until it is released. */
  get(name: string, options?: ChannelOptions): Channel {
    const token = options?.token
    if (token && typeof token !== 'function') throw badOption('token', 'a function')
    const isNew = !this.find(checkedName('channel', name))
    const channel = this.#make(name)
    channel.isHeld = true
    // It was subscribed to before there was the object.
    if (isNew && this.#subscriptions.isOn(name)) channel.link = this.#link
    if (token) channel.token = token
    return channel
  }

  /** The channel of a name, if there is one. */
  find(name: string): Channel | undefined {
    return this.#channels.get(name)
  }

  /** Binds a handler to an event on any channel, without subscribing. */
  bind(event: string | RegExp, handler: Handler): Binding {
    return this.#bindings.add(event, handler)
  }

  /** Takes handlers of {@link bind} away. */
  unbind(event?: string | RegExp, handler?: Handler): void {
    this.#bindings.remove(event, handler)
  }

  /** A handler was bound. The channel's own events tell what comes of it. */
  bound(name: string): void {
    this.#requestConnection()
    this.#subscriptions.bound(name)
  }

  /** The last handler was taken away. */
  unbound(name: string): void {
    this.#subscriptions.unbound(name, false)
  }

  /** The application needs the object no longer. */
  drop(name: string): void {
    this.#channels.delete(name)
    this.#subscriptions.unbound(name, true)
  }

  /** A message came. */
  deliver(message: PublicationDetails): void {
    this.find(message.channel)?.deliver(message)
    this.#bindings.deliver(message)
  }

  /** The server says that this socket is on a channel. @param link see {@link Channel.entered} */
  entered(notice: SubscriptionNotice, link: unknown, isEarly: boolean): void {
    const { channel, members, uid, umd } = notice
    this.#link = link
    const isTelling = members ?? uid ?? umd
    const entered = isTelling === undefined ? this.find(channel) : this.#make(channel)
    entered?.entered(notice, isEarly && entered.isOn ? undefined : link)
  }

  /** This socket is not on a channel. @param by whose wish it was; `undefined` if it is not to come back, either */
  left(name: string, by?: LeaveReason): void {
    const channel = this.find(name)
    channel?.left(by)
    if (!by && channel?.isHeld === false) this.#channels.delete(name)
  }

  /** There will be no message any more. */
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

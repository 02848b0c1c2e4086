import { type Binding, Bindings, type Handler } from './bindings.js'
import { Channel, type ChannelOptions, type ChannelSocket } from './channel.js'
import type { PublicationDetails } from './publications.js'

/** What says on the wire which channels are wanted. */
export interface ChannelSubscriptions {
  has(channel: string): boolean
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
}

/**
 * The channels of a socket: those with bindings and those that `subscribe` wants. Each of the two takes back its own wish
 * only, and the channel is wanted as long as one is left.
 */
export class Channels {
  readonly #channels = new Map<string, Channel>()
  /** Wanted by `subscribe`. */
  readonly #subscribed = new Set<string>()
  /** Handlers for the messages of any channel. */
  readonly #bindings = new Bindings<undefined>(undefined)
  readonly #subscriptions: ChannelSubscriptions
  readonly #socket: ChannelSocket

  readonly #need: () => void

  /** @param need makes a socket that waits for a reason connect */
  constructor(subscriptions: ChannelSubscriptions, socket: ChannelSocket, need: () => void) {
    this.#subscriptions = subscriptions
    this.#need = need
    this.#socket = socket
  }

  /** The channel of a name, always the same object. */
  get(name: string, { token }: ChannelOptions = {}): Channel {
    const channel = this.find(name) ?? new Channel(name, this.#socket, this)
    this.#channels.set(name, channel)
    if (token) channel.token = token
    return channel
  }

  /** The channel of a name, if anything has asked for it. */
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

  subscribe(name: string): Promise<void> {
    this.#subscribed.add(name)
    return this.#subscriptions.subscribe(name)
  }

  unsubscribe(name: string): Promise<void> {
    this.#subscribed.delete(name)
    return this.find(name)?.isBound ? Promise.resolve() : this.#subscriptions.unsubscribe(name)
  }

  /** There is a binding. The channel's own events tell how it went. */
  want(name: string): void {
    this.#need()
    if (!this.#subscriptions.has(name)) this.#subscriptions.subscribe(name).catch(ignore)
  }

  /** There is none any more. */
  release(name: string): void {
    if (!this.#subscribed.has(name)) this.#subscriptions.unsubscribe(name).catch(ignore)
  }

  /** A message came. */
  deliver(message: PublicationDetails): void {
    this.find(message.channel)?.deliver(message)
    this.#bindings.deliver(message)
  }

  /** We are not on a channel any more. */
  dropped(name: string): void {
    this.#subscribed.delete(name)
    this.find(name)?.dropped()
  }

  /** There will be no message any more. */
  close(): void {
    this.#bindings.clear()
    for (const channel of this.#channels.values()) channel.close()
  }
}

function ignore(): void {}

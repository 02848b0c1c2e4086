import {
  encodeData,
  type GapReason,
  type Member,
  type PresenceMessage,
  RpcError,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import { Emitter } from '../runtime/emitter.js'
import { RELEASED } from '../runtime/reason-texts.js'
import { givenToken } from '../token/token-provider.js'
import { type Binding, Bindings, type Handler } from './bindings.js'
import type { HistoryQuery, PublicationDetails, PublishOptions, Receipt } from './publications.js'

/** Dependencies of {@link Channel}: the socket. */
export interface ChannelSocket {
  readonly sid: string | undefined
  readonly uid: string | undefined
  readonly umd: unknown
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
  publish(channel: string, data: unknown, options: PublishOptions): Promise<Receipt | undefined>
  history(channel: string, query?: HistoryQuery): Promise<readonly PublicationDetails[]>
}

/** Dependencies of {@link Channel}: the list of channels. */
export interface ChannelOwner {
  /** Called when a handler was bound: the channel has to be subscribed to. */
  bound(channel: string): void
  /** Called when the last handler was removed. */
  unbound(channel: string): void
  /** Called when the application has released the object. */
  drop(channel: string): void
}

/**
 * Returns a token that the application's back end signed for this channel and this connection.
 * Called at each subscription, also after a reconnect. It may call the server through the socket.
 */
export type ChannelToken = (request: {
  readonly channel: string
  /** The socket's `sid`. */
  readonly connectionId: string
}) => string | Promise<string>

/** Options of a channel. */
export interface ChannelOptions {
  /** Gives the socket additional permissions on the channel. @default none */
  readonly token?: ChannelToken | undefined
}

/**
 * Why a socket left a channel: it unsubscribed (`client`), the server unsubscribed it, or its user
 * may not use the channel any longer (`revoked`).
 */
export type LeaveReason = 'client' | 'server' | 'revoked'

/** The events of a {@link Channel}, and the arguments of their listeners. */
export interface ChannelEvents {
  /** The server sends the channel's messages from now on; again after each reconnect. */
  subscribed: () => void
  /** The server has stopped sending them. Not emitted when the connection is lost. */
  unsubscribed: (details: { readonly reason: LeaveReason }) => void
  /**
   * The user may not use the channel any longer; emitted after `unsubscribed`. Handlers stay bound.
   * Only another `bind` or `subscribe` subscribes again.
   */
  revoked: () => void
  /** A member joined. */
  joined: (member: Member) => void
  /** A member left, with the last socket of its user. */
  left: (member: Member) => void
  /** The metadata of a member has changed. */
  updated: (member: Member) => void
  /** After a reconnect, the missed publications follow. */
  recovered: () => void
  /** The missed publications are lost to this socket; see the socket's `gap`. */
  gap: (reason: GapReason) => void
  /**
   * The server refused to subscribe this socket. Only another `bind` or `subscribe` tries again.
   * With `token_failed` the channel's token could not be requested: this is retried while a handler
   * is bound.
   */
  refused: (error: RpcError) => void
}

/**
 * One channel of a socket. It is subscribed to while a handler is bound, or after `subscribe`.
 * Removing the handlers does not cancel `subscribe`, and `unsubscribe` does not cancel the
 * handlers.
 */
export class Channel extends Emitter<ChannelEvents> {
  readonly name: string
  /** See {@link ChannelOptions}. */
  token: ChannelToken | undefined
  readonly #socket: ChannelSocket
  readonly #owner: ChannelOwner
  readonly #bindings: Bindings<Channel>
  /** The members by `uid`. */
  #members: Map<string, Member> | undefined
  /**
   * The members as a list, made when it is read: a change of one member then costs no copy of all.
   */
  #list: readonly Member[] | undefined
  /** The identity of this socket on the channel, where it differs from the socket's own. */
  #self: Partial<Member> = {}
  /** The connection on which the server has subscribed this socket. @internal */
  link: unknown
  #isReleased = false
  /** Whether the application has asked for the object. @internal */
  isHeld = false

  /** @internal */
  constructor(name: string, socket: ChannelSocket, owner: ChannelOwner) {
    super()
    this.name = name
    this.#socket = socket
    this.#owner = owner
    this.#bindings = new Bindings<Channel>(this, () => owner.unbound(name))
  }

  /** The id of this socket's user, as others on the channel see it. */
  get uid(): string | undefined {
    return this.#self.uid ?? this.#socket.uid
  }

  /** The metadata that others on the channel see of this socket. */
  get umd(): unknown {
    return { umd: this.#socket.umd, ...this.#self }.umd
  }

  /**
   * The members, including this socket's user, if the channel has presence. A new array after each
   * change.
   */
  get members(): readonly Member[] {
    this.#list ??= [...(this.#members?.values() ?? [])]
    return this.#list
  }

  /**
   * Calls a handler with each message of an event, or of all events that an expression matches, and subscribes.
   * @param event `''` is a message without an event
   * @throws RpcError `ended` after {@link release}
   * @example
   * channel.bind('say', ({ data, meta }) => console.log(meta?.uid, data))
   */
  bind<Data = unknown>(event: string | RegExp, handler: Handler<Data>): Binding<Channel> {
    if (this.#isReleased) throw new RpcError('ended', RELEASED)
    const binding = this.#bindings.add(event, handler as Handler)
    this.#owner.bound(this.name)
    return binding
  }

  /**
   * Takes away all handlers, those of an event, or one of them. With the last one it unsubscribes.
   * @example
   * channel.unbind('say')
   */
  unbind<Data = unknown>(event?: string | RegExp, handler?: Handler<Data>): void {
    this.#bindings.remove(event, handler as Handler)
  }

  /**
   * Publishes an event; see the socket's `publish`.
   * @example
   * await channel.send('say', 'Hello', { idempotencyKey: crypto.randomUUID() })
   */
  send(
    event: string,
    data?: unknown,
    options?: Pick<PublishOptions, 'idempotencyKey'>,
  ): Promise<Receipt | undefined> {
    return this.#socket.publish(this.name, data, { ...options, event })
  }

  /**
   * Reads a page of what the channel keeps; see the socket's `history`.
   * @example
   * const page = await channel.history({ limit: 20 })
   */
  history(query?: HistoryQuery): Promise<readonly PublicationDetails[]> {
    return this.#socket.history(this.name, query)
  }

  /**
   * Subscribes, also when no handler is bound; see the socket's `subscribe`.
   * @example
   * await channel.subscribe()
   */
  subscribe(): Promise<void> {
    return this.#socket.subscribe(this.name)
  }

  /**
   * Cancels `subscribe`; see the socket's `unsubscribe`.
   * @example
   * await channel.unsubscribe()
   */
  unsubscribe(): Promise<void> {
    return this.#socket.unsubscribe(this.name)
  }

  /**
   * Takes away its handlers and listeners, unsubscribes, and frees its memory. The socket's `channel` then makes another
   * object for the name. Without it an object that `channel` has given stays as long as the socket.
   * @example
   * channel.release()
   */
  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#bindings.clear()
    this.#owner.drop(this.name)
    this.removeAllListeners()
  }

  /** Whether a handler is bound to it. @internal */
  get isBound(): boolean {
    return this.#bindings.size > 0
  }

  /** Whether its last event says that it is subscribed to. @internal */
  get isOn(): boolean {
    return this.link !== undefined
  }

  /** Requests its token, if it has one of its own. @internal */
  requestToken(): Promise<string> | undefined {
    const { name: channel, token: give } = this
    return give && givenToken(() => give({ channel, connectionId: this.#socket.sid ?? '' }))
  }

  /** Delivers a message to the handlers. @internal */
  deliver(message: PublicationDetails): void {
    this.#bindings.deliver(message)
  }

  /**
   * The server has subscribed this socket. @param link the connection; `undefined` if the notice is
   * about members only @internal
   */
  entered({ uid, umd, members, recovered, reason }: SubscriptionNotice, link: unknown): void {
    const before = this.#members
    if (uid !== undefined || umd !== undefined) this.#self = { ...(uid && { uid }), umd }
    if (members) this.#keep(byUid(members))
    if (link && link !== this.link) {
      this.link = link
      this.emit('subscribed')
    }
    if (before && members) this.#compare(before, members)
    if (recovered) this.emit('recovered')
    else if (reason) this.emit('gap', reason)
  }

  /** A member joined, left or changed. @internal */
  changed({ type: _type, channel: _channel, change, ...member }: PresenceMessage): void {
    const members = this.#members ?? byUid([])
    if (change === 'left') members.delete(member.uid)
    else members.set(member.uid, member)
    this.#keep(members)
    this.emit(change, member)
  }

  /**
   * This socket has left the channel. @param by why; `undefined` if the subscription is forgotten
   * as well @internal
   */
  left(by?: LeaveReason): void {
    const wasOn = this.link
    this.link = undefined
    this.#keep(undefined)
    this.#self = {}
    if (!wasOn) return
    this.emit('unsubscribed', { reason: by ?? 'client' })
    if (by === 'revoked') this.emit(by)
  }

  /** The socket has ended: no message follows. @internal */
  close(): void {
    this.#bindings.clear()
  }

  #keep(members: Map<string, Member> | undefined): void {
    this.#members = members
    this.#list = undefined
  }

  /**
   * Compares two lists of members. @param gone the former list, from which those that are still
   * members are removed
   */
  #compare(gone: Map<string, Member>, now: readonly Member[]): void {
    for (const member of now) {
      const old = gone.get(member.uid)
      gone.delete(member.uid)
      if (!old) this.emit('joined', member)
      else if (encodeData(old.umd) !== encodeData(member.umd)) this.emit('updated', member)
    }
    for (const member of gone.values()) this.emit('left', member)
  }
}

function byUid(members: readonly Member[]): Map<string, Member> {
  return new Map(members.map((member) => [member.uid, member]))
}

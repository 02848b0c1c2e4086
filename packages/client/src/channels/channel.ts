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

/** What a {@link Channel} needs of the socket. */
export interface ChannelSocket {
  readonly sid: string | undefined
  readonly uid: string | undefined
  readonly umd: unknown
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): Promise<void>
  publish(channel: string, data: unknown, options: PublishOptions): Promise<Receipt | undefined>
  history(channel: string, query?: HistoryQuery): Promise<readonly PublicationDetails[]>
}

/** The channels that a {@link Channel} is one of. */
export interface ChannelOwner {
  /** A handler was bound: it is to be subscribed to. */
  bound(channel: string): void
  /** The last handler was taken away. */
  unbound(channel: string): void
  /** The application needs the object no longer. */
  drop(channel: string): void
}

/**
 * Gets a token that the application's back end signed for this channel and this connection. Called at every subscribe,
 * after a reconnect too. It may call the server by the socket.
 */
export type ChannelToken = (request: {
  readonly channel: string
  /** The socket's `sid`. */
  readonly connectionId: string
}) => string | Promise<string>

/** What is particular to a channel. */
export interface ChannelOptions {
  /** Gives more rights on the channel than the connection has. @default none */
  readonly token?: ChannelToken | undefined
}

/**
 * Why a socket is no longer on a channel: it unsubscribed (`client`), the server took it off, or
 * its user may not have the channel any longer (`revoked`).
 */
export type LeaveReason = 'client' | 'server' | 'revoked'

/** The events of a {@link Channel}, and what their listeners get. */
export interface ChannelEvents {
  /** The server sends the channel from now on; after each reconnect again. */
  subscribed: () => void
  /** The server no longer sends it. Not for the loss of a connection. */
  unsubscribed: (details: { readonly reason: LeaveReason }) => void
  /**
   * The user may not have it any longer: comes after `unsubscribed`. Handlers stay bound, and it is
   * not subscribed to again until there is another `bind` or `subscribe`.
   */
  revoked: () => void
  /** A member came. */
  joined: (member: Member) => void
  /** A member left, with the last of their sockets. */
  left: (member: Member) => void
  /** What others see of a member has changed. */
  updated: (member: Member) => void
  /** After a loss, the channel goes on where it was: what was missed follows. */
  recovered: () => void
  /** What was missed is lost to this socket; see the socket's `gap`. */
  gap: (reason: GapReason) => void
  /**
   * The server refused to subscribe this socket. It is not tried again until there is another `bind` or `subscribe`. Or
   * the channel's token could not be had (`token_failed`): that is tried again while a handler is bound.
   */
  refused: (error: RpcError) => void
}

/**
 * One channel of a socket. It is subscribed to as long as a handler is bound to it, or `subscribe` wants it; each
 * takes back its own wish only.
 */
export class Channel extends Emitter<ChannelEvents> {
  readonly name: string
  /** See {@link ChannelOptions}. */
  token: ChannelToken | undefined
  readonly #socket: ChannelSocket
  readonly #owner: ChannelOwner
  readonly #bindings: Bindings<Channel>
  /** By `uid`. */
  #members: Map<string, Member> | undefined
  /** The same, made when it is asked for: a change must not cost what all members do. */
  #list: readonly Member[] | undefined
  /** Who this socket is here, if that is not who it is elsewhere. */
  #self: Partial<Member> = {}
  /** The connection on which it was told to be subscribed. @internal */
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

  /** Who this socket is to others on the channel. */
  get uid(): string | undefined {
    return this.#self.uid ?? this.#socket.uid
  }

  /** What others on the channel see of this socket. */
  get umd(): unknown {
    return { umd: this.#socket.umd, ...this.#self }.umd
  }

  /** Who is there, this socket included, if the channel has presence; another array after each change. */
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

  /** Whether its events have said that it is subscribed to. @internal */
  get isOn(): boolean {
    return this.link !== undefined
  }

  /** Asks for its token, if it has one of its own. @internal */
  requestToken(): Promise<string> | undefined {
    const { name: channel, token: give } = this
    return give && givenToken(() => give({ channel, connectionId: this.#socket.sid ?? '' }))
  }

  /** A message came. @internal */
  deliver(message: PublicationDetails): void {
    this.#bindings.deliver(message)
  }

  /** It is subscribed to. @param link the connection; `undefined` if the notice only tells who is there @internal */
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

  /** A member came, went or changed. @internal */
  changed({ type: _type, channel: _channel, change, ...member }: PresenceMessage): void {
    const members = this.#members ?? byUid([])
    if (change === 'left') members.delete(member.uid)
    else members.set(member.uid, member)
    this.#keep(members)
    this.emit(change, member)
  }

  /** This socket is not on it. @param by whose wish it was; `undefined` if it is not to come back, either @internal */
  left(by?: LeaveReason): void {
    const wasOn = this.link
    this.link = undefined
    this.#keep(undefined)
    this.#self = {}
    if (!wasOn) return
    this.emit('unsubscribed', { reason: by ?? 'client' })
    if (by === 'revoked') this.emit(by)
  }

  /** There will be no message any more. @internal */
  close(): void {
    this.#bindings.clear()
  }

  #keep(members: Map<string, Member> | undefined): void {
    this.#members = members
    this.#list = undefined
  }

  /** Tells how two lists of members differ. @param gone the former, which loses those that are still there */
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

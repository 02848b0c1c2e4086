import {
  encodeData,
  encodeServerMessage,
  GOING_AWAY,
  limitError,
  type Member,
  RpcError,
  shouldReconnect,
} from '@token-socket/protocol'
import type { Presence, PresenceEntry, PresenceEvent, PresenceSnapshot } from '../engine/engine.js'
import { eventLoop } from '../runtime/event-loop.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import { KeyedQueue } from '../socket/keyed-queue.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { ChannelRate } from './channel-rate.js'
import { MemberLists } from './member-lists.js'
import { followingChanges } from './presence-changes.js'
import { encodePresence, PresenceView, readMember } from './presence-view.js'

/** What {@link ChannelPresence} needs. */
export interface ChannelPresenceOwner {
  readonly presence: Presence
  readonly policy: {
    /** Whether a socket takes part in a channel's presence. */
    hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean>
  }
  /** Members that a channel may have. */
  readonly members: number
  /** Channels with presence that the sockets of one user may be on, each socket counted. */
  readonly presencesPerUser: number
  /** Times in a second that one socket may enter one channel's presence. */
  readonly presenceRate: number
  /** Milliseconds for which a member stays whose connection was lost. */
  readonly presenceGrace: number
  failed(cause: unknown, details: object): void
}

/** A socket, and what it knows of a channel. */
type MemberSocket = readonly [ServerSocket, PresenceView]

/** What a socket that is on a channel's presence is told. */
export interface PresenceJoin {
  /** Who is there, it included; `undefined` for an old client. */
  readonly members: readonly Member[] | undefined
  /** It has been told: changes follow. */
  follow(): void
}

/** For a client that has lost its right: it sees no one, and no changes follow. */
const NO_PRESENCE: PresenceJoin = { members: [], follow() {} }

/** The codes of a client that leaves because it wants to: WebSocket's own, without a code too, and the library's. */
const CLEAN_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, GOING_AWAY.code])

/**
 * Who is on the channels that have presence: enters this node's sockets, and tells each what it has to know. A socket
 * whose place is taken away while it enters leaves no trace.
 */
export class ChannelPresence {
  readonly #owner: ChannelPresenceOwner
  readonly #rate: ChannelRate
  readonly #channels = new Map<string, Map<ServerSocket, PresenceView>>()
  /** The views of each user. */
  readonly #users = new OwnerCounts()
  /** The views of each socket, as far as they count for its user. */
  readonly #seats = new WeakMap<ServerSocket, number>()
  /** The engine is told of one socket on one channel in the order in which things happened. */
  readonly #inOrder = new KeyedQueue()
  /** Changes of this turn that are not told yet, by channel. */
  readonly #changed = new Map<string, PresenceEvent[]>()
  /** Makes what sockets are told of who is there. */
  readonly #lists = new MemberLists()
  /** The channels whose members are being asked for, for those that have fallen behind. */
  readonly #asking = new Set<string>()

  constructor(owner: ChannelPresenceOwner) {
    this.#owner = owner
    this.#rate = new ChannelRate('presenceRate', owner.presenceRate)
  }

  /**
   * Puts a socket that is on a channel on its presence, if it has one for this socket; again, if it is there already.
   * From now until {@link leave} every change is heard for it.
   * @param isWanted whether it is still to be put there, once the rules have been asked
   * @returns nothing if it takes no part, or has left meanwhile; an empty list if it has taken part
   *   until now
   * @throws RpcError `uid_required`, `too_many_members`, `too_many_messages`; what the engine throws. Then {@link leave} has to be called.
   */
  enter(socket: ServerSocket, channel: string, isWanted: () => boolean): Promise<PresenceJoin | undefined> {
    return this.#enterIf(socket, channel, isWanted)
  }

  /**
   * Puts a socket on a channel's presence as the member that it is now, after a change. The caller
   * has just asked the rules. It does not count for `presenceRate`. Its client has to be told who
   * is there, by {@link arrive}: changes are held back for it until then.
   * @returns who is there, once the engine knows; nothing if it has left meanwhile
   * @throws as {@link enter}
   */
  async renew(socket: ServerSocket, channel: string): Promise<PresenceSnapshot | undefined> {
    const { view, entering } = this.#enterAs(socket, channel)
    const snapshot = await entering
    return this.#has(socket, view) ? snapshot : undefined
  }

  /**
   * What the client of a socket that is on a channel's presence is to be told.
   * @param known who is there. @default the engine is asked
   * @returns nothing if it has left, or leaves meanwhile
   */
  async arrive(
    socket: ServerSocket,
    channel: string,
    known?: PresenceSnapshot,
  ): Promise<PresenceJoin | undefined> {
    const view = this.#channels.get(channel)?.get(socket)
    if (!view) return undefined
    if (known) return this.#arrival(socket, view, known)
    view.hold()
    return this.#arrival(socket, view, await this.#owner.presence.members(channel))
  }

  /** Whether a socket is on a channel's presence. */
  has(socket: ServerSocket, channel: string): boolean {
    return this.#channels.get(channel)?.has(socket) === true
  }

  /** Whether a socket is on a channel's presence as the member that it is now. */
  isCurrent(socket: ServerSocket, channel: string): boolean {
    const entry = this.#channels.get(channel)?.get(socket)?.entry
    if (!entry) return false
    const { uid, umd } = socket.identity(channel)
    return entry.uid === uid && entry.umd === (umd === undefined ? undefined : encodeUmd(umd))
  }

  /** Nothing may come between the answer of the rules and the entry. */
  async #enterIf(
    socket: ServerSocket,
    channel: string,
    isWanted: () => boolean,
  ): Promise<PresenceJoin | undefined> {
    while (isWanted()) {
      const { version } = socket.authorization
      const takesPart = await this.#owner.policy.hasPresence(socket, channel)
      if (!isWanted() || version !== socket.authorization.version) continue
      if (takesPart) this.#rate.count(socket, channel)
      if (takesPart) return this.#enter(socket, channel)
      return this.leave(socket, channel) && !socket.isLegacy ? NO_PRESENCE : undefined
    }
    return undefined
  }

  /** @returns nothing if it has left meanwhile */
  async #enter(socket: ServerSocket, channel: string): Promise<PresenceJoin | undefined> {
    const { view, entering } = this.#enterAs(socket, channel)
    const snapshot = await entering
    return snapshot && this.#arrival(socket, view, snapshot)
  }

  /** Puts it there, and tells the engine. @throws RpcError `uid_required`, `too_many_members` */
  #enterAs(socket: ServerSocket, channel: string) {
    const view = new PresenceView(socket, entryOf(socket, channel))
    const before = this.#put(socket, view)
    const entering = this.#tell(view.entry, () => this.#owner.presence.enter(view.entry, this.#owner.members))
    if (before && before.entry.uid !== view.entry.uid) this.#retire(before.entry, 0)
    const known = entering.catch((cause) => {
      if (this.#has(socket, view)) throw cause
      return undefined
    })
    return { view, entering: known }
  }

  async #arrival(
    socket: ServerSocket,
    view: PresenceView,
    snapshot: PresenceSnapshot,
  ): Promise<PresenceJoin | undefined> {
    if (!this.#has(socket, view)) return undefined
    const follow = () => this.#follow(socket, view, snapshot)
    if (socket.isLegacy) return { members: undefined, follow }
    const turn = this.#lists.turn(snapshot)
    if (turn) await turn
    if (!this.#has(socket, view)) return undefined
    const members = this.#lists.make(view.entry.channel, snapshot)
    const isLatest = () => this.#has(socket, view)
    return {
      // It may have entered again, or left, until it is told.
      get members() {
        return isLatest() ? members : undefined
      },
      follow,
    }
  }

  /**
   * Takes a socket off a channel's presence, if it is on it.
   * @param code how its connection was closed, if that is why: it may come back after a loss
   * @returns whether it was on it
   */
  leave(socket: ServerSocket, channel: string, code?: number): boolean {
    const views = this.#channels.get(channel)
    const view = views?.get(socket)
    if (!view) return false
    views?.delete(socket)
    if (views?.size === 0) this.#channels.delete(channel)
    this.#uncount(socket)
    this.#retire(view.entry, code === undefined ? 0 : this.#graceAfter(code))
    return true
  }

  /** A socket is gone: it counts for its user no longer. {@link leave} has to be called for each channel, now or later. */
  release(socket: ServerSocket): void {
    const seats = this.#seats.get(socket)
    if (seats) this.#users.remove(userOf(socket), seats)
    this.#seats.delete(socket)
  }

  /** A member came, left or changed. It is told at the end of the turn, together with what else changes in it. */
  hear(event: PresenceEvent): void {
    if (!this.#channels.has(event.channel)) return
    if (this.#changed.size === 0) eventLoop.setImmediate(this.flush)
    const events = this.#changed.get(event.channel)
    if (events) events.push(event)
    else this.#changed.set(event.channel, [event])
  }

  /** Tells all changes now. */
  readonly flush = (): void => {
    for (const channel of this.#changed.keys()) this.flushOn(channel)
  }

  /** Tells the changes of a channel now: something that came after them is about to go out. */
  flushOn(channel: string): void {
    const events = this.#changed.get(channel)
    if (!events) return
    this.#changed.delete(channel)
    const views = this.#channels.get(channel)
    if (!views) return
    let isOneBehind = false
    for (const changes of followingChanges(events, encodePresence)) {
      for (const [socket, view] of views) {
        if (socket.isClosed) continue
        view.hear(changes)
        isOneBehind ||= view.isBehind
      }
    }
    if (isOneBehind) this.#catchUp(channel)
  }

  /** Who is on a channel, on every node. */
  async members(channel: string): Promise<Member[]> {
    const { members } = await this.#owner.presence.members(channel)
    return members.map(readMember)
  }

  #has(socket: ServerSocket, view: PresenceView): boolean {
    return !socket.isClosed && this.#channels.get(view.entry.channel)?.get(socket) === view
  }

  /** @returns the view in whose place it is now @throws RpcError `too_many_members` */
  #put(socket: ServerSocket, view: PresenceView): PresenceView | undefined {
    const { channel } = view.entry
    const views = this.#channels.get(channel) ?? new Map<ServerSocket, PresenceView>()
    const before = views.get(socket)
    if (!before) this.#count(socket)
    this.#channels.set(channel, views.set(socket, view))
    return before
  }

  #count(socket: ServerSocket): void {
    const user = userOf(socket)
    const limit = this.#owner.presencesPerUser
    if (this.#users.of(user) >= limit)
      throw limitError('too_many_members', { field: 'presencesPerUser', limit })
    this.#users.add(user)
    this.#seats.set(socket, (this.#seats.get(socket) ?? 0) + 1)
  }

  #uncount(socket: ServerSocket): void {
    const seats = this.#seats.get(socket)
    if (seats === undefined) return
    this.#users.remove(userOf(socket))
    this.#seats.set(socket, seats - 1)
  }

  #follow(socket: ServerSocket, view: PresenceView, snapshot: PresenceSnapshot): void {
    if (!this.#has(socket, view)) return
    view.follow(snapshot)
    if (view.isBehind) this.#catchUp(view.entry.channel)
  }

  /** Who comes back finds its member there; who said goodbye, or is not to come back, does not. */
  #graceAfter(code: number): number {
    return CLEAN_CLOSE_CODES.has(code) || !shouldReconnect(code) ? 0 : this.#owner.presenceGrace
  }

  /** Tells the engine of a socket, behind what it is being told of the same one. */
  #tell<T>({ sid, channel }: PresenceEntry, run: () => Promise<T>): Promise<T> {
    return this.#inOrder.run(`${sid} ${channel}`, run)
  }

  /** No one waits for it: the engine ends by itself what it could not be told. */
  #retire(entry: PresenceEntry, grace: number): void {
    this.#tell(entry, () => this.#owner.presence.leave(entry, grace)).catch((cause) =>
      this.#owner.failed(cause, { step: 'presence', channel: entry.channel }),
    )
  }

  /** Tells those that miss changes the members anew: one question for all of them. */
  async #catchUp(channel: string): Promise<void> {
    const behind = this.#behindOn(channel)
    if (behind.length === 0 || this.#asking.has(channel)) return
    this.#asking.add(channel)
    for (const [, view] of behind) view.hold()
    try {
      const snapshot = await this.#owner.presence.members(channel)
      await this.#lists.turn(snapshot)
      this.#tellAnew(behind, channel, snapshot)
    } catch (cause) {
      // The next change is the next occasion.
      for (const [, view] of behind) view.fallBehind()
      this.#owner.failed(cause, { step: 'presence', channel })
      return
    } finally {
      this.#asking.delete(channel)
    }
    await this.#catchUp(channel)
  }

  #tellAnew(behind: readonly MemberSocket[], channel: string, snapshot: PresenceSnapshot): void {
    const members = this.#lists.make(channel, snapshot)
    const frame = encodeServerMessage({ type: 'subscribed', channel, members })
    for (const [socket, view] of behind) {
      if (!this.#has(socket, view)) continue
      view.tell(frame)
      view.follow(snapshot)
    }
  }

  #behindOn(channel: string): MemberSocket[] {
    return [...(this.#channels.get(channel) ?? [])].filter(([, view]) => view.isBehind)
  }
}

/** @throws RpcError `uid_required` */
function entryOf(socket: ServerSocket, channel: string): PresenceEntry {
  const { uid, umd } = socket.identity(channel)
  if (uid === undefined) throw new RpcError('uid_required')
  const entry = { channel, sid: socket.sid, uid }
  return umd === undefined ? entry : { ...entry, umd: encodeUmd(umd) }
}

function userOf({ subject, sid }: ServerSocket): string {
  return subject ?? `sid:${sid}`
}

/** A socket's `umd` is the same object on all channels: so is its JSON, which is kept for each. */
const UMD_JSON = new WeakMap<object, string>()

function encodeUmd(umd: unknown): string {
  if (typeof umd !== 'object' || umd === null) return encodeData(umd)
  const json = UMD_JSON.get(umd) ?? encodeData(umd)
  UMD_JSON.set(umd, json)
  return json
}

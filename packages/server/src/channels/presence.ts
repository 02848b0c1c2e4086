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

/** Dependencies of {@link ChannelPresence}. */
export interface ChannelPresenceOwner {
  readonly presence: Presence
  readonly policy: {
    /** Whether a socket takes part in a channel's presence. */
    hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean>
  }
  readonly limits: {
    /** Members that a channel may have. */
    readonly members: number
    /** Channels with presence that the sockets of one user may be on; each socket counts. */
    readonly presencesPerUser: number
    /** How often in a second one socket may enter one channel's presence. */
    readonly presenceRate: number
  }
  /** Milliseconds for which a member stays after its connection was lost. */
  readonly presenceGrace: number
  failed(cause: unknown, details: object): void
}

/** A socket, and its view of a channel's members. */
type MemberSocket = readonly [ServerSocket, PresenceView]

/** What a socket receives when it joins a channel's presence. */
export interface PresenceJoin {
  /** The members, including itself; `undefined` for a legacy client. */
  readonly members: readonly Member[] | undefined
  /** The members were sent: sends changes from now on. */
  follow(): void
}

/** For a client that has lost the right: no members, and no changes. */
const NO_PRESENCE: PresenceJoin = { members: [], follow() {} }

/**
 * Close codes of a client that leaves deliberately: those of WebSocket, including a close without a
 * code, and the library's own.
 */
const CLEAN_CLOSE_CODES: ReadonlySet<number> = new Set([1000, 1001, 1005, GOING_AWAY.code])

/**
 * The presence of channels: enters this node's sockets, and sends each what it has to know. A
 * socket that loses its entry while it enters leaves no trace.
 */
export class ChannelPresence {
  readonly #owner: ChannelPresenceOwner
  readonly #rate: ChannelRate
  readonly #channels = new Map<string, Map<ServerSocket, PresenceView>>()
  /** The number of views of each user. */
  readonly #users = new OwnerCounts()
  /** The number of views of each socket that count for its user. */
  readonly #seats = new WeakMap<ServerSocket, number>()
  /** Keeps the engine's calls for one socket on one channel in order. */
  readonly #inOrder = new KeyedQueue()
  /** Changes of this turn that are not sent yet, by channel. */
  readonly #changed = new Map<string, PresenceEvent[]>()
  /** Builds the lists of members that sockets receive. */
  readonly #lists = new MemberLists()
  /** The channels whose members are being read, for sockets that have fallen behind. */
  readonly #asking = new Set<string>()

  constructor(owner: ChannelPresenceOwner) {
    this.#owner = owner
    this.#rate = new ChannelRate('presenceRate', owner.limits.presenceRate)
  }

  /**
   * Enters a socket into a channel's presence, if it takes part; also again. From now until {@link
   * leave} it receives every change.
   * @param isWanted whether it still has to be entered, after the rules were asked
   * @returns nothing if it does not take part, or has left meanwhile; an empty list if it took part
   *   until now
   * @throws RpcError `uid_required`, `too_many_members`, `too_many_messages`; what the engine
   *   throws. Then the caller has to call {@link leave}.
   */
  enter(socket: ServerSocket, channel: string, isWanted: () => boolean): Promise<PresenceJoin | undefined> {
    return this.#enterIf(socket, channel, isWanted)
  }

  /**
   * Enters a socket as the member that it is after a change. The caller has just asked the rules.
   * It does not count for `presenceRate`. The caller has to send the members with {@link arrive};
   * until then changes are buffered.
   * @returns the members, once the engine has recorded it; nothing if it has left meanwhile
   * @throws as {@link enter}
   */
  async renew(socket: ServerSocket, channel: string): Promise<PresenceSnapshot | undefined> {
    const { view, entering } = this.#enterAs(socket, channel)
    const snapshot = await entering
    return this.#has(socket, view) ? snapshot : undefined
  }

  /**
   * Returns what the client of a socket has to receive.
   * @param known the members. @default the engine is asked
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

  /** Returns whether a socket is in a channel's presence. */
  has(socket: ServerSocket, channel: string): boolean {
    return this.#channels.get(channel)?.has(socket) === true
  }

  /** Returns whether a socket is in a channel's presence as the member that it is now. */
  isCurrent(socket: ServerSocket, channel: string): boolean {
    const entry = this.#channels.get(channel)?.get(socket)?.entry
    if (!entry) return false
    const { uid, umd } = socket.identity(channel)
    return entry.uid === uid && entry.umd === (umd === undefined ? undefined : encodeUmd(umd))
  }

  /** Nothing may happen between the answer of the rules and the entry. */
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

  /**
   * Adds its view, and reports it to the engine.
   * @throws RpcError `uid_required`, `too_many_members`
   */
  #enterAs(socket: ServerSocket, channel: string) {
    const view = new PresenceView(socket, entryOf(socket, channel))
    const before = this.#put(socket, view)
    const entering = this.#tell(view.entry, () =>
      this.#owner.presence.enter(view.entry, this.#owner.limits.members),
    )
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
      // Read late, because it may have entered again, or left, until it is sent.
      get members() {
        return isLatest() ? members : undefined
      },
      follow,
    }
  }

  /**
   * Removes a socket from a channel's presence.
   * @param code how its connection was closed, if that is the reason: after a loss it may reconnect
   * @returns whether it was in it
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

  /**
   * The socket is closed: it does not count for its user any longer. The caller has to call {@link
   * leave} for each channel, now or later.
   */
  release(socket: ServerSocket): void {
    const seats = this.#seats.get(socket)
    if (seats) this.#users.remove(userOf(socket), seats)
    this.#seats.delete(socket)
  }

  /**
   * Receives a change of a member. It is sent at the end of the turn, with the other changes of the
   * turn.
   */
  hear(event: PresenceEvent): void {
    if (!this.#channels.has(event.channel)) return
    if (this.#changed.size === 0) eventLoop.setImmediate(this.flush)
    const events = this.#changed.get(event.channel)
    if (events) events.push(event)
    else this.#changed.set(event.channel, [event])
  }

  /** Sends all changes now. */
  readonly flush = (): void => {
    for (const channel of this.#changed.keys()) this.flushOn(channel)
  }

  /** Sends the changes of a channel now, because something later is about to be sent. */
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

  /** Returns the members of a channel, over all nodes. */
  async members(channel: string): Promise<Member[]> {
    const { members } = await this.#owner.presence.members(channel)
    return members.map(readMember)
  }

  #has(socket: ServerSocket, view: PresenceView): boolean {
    return !socket.isClosed && this.#channels.get(view.entry.channel)?.get(socket) === view
  }

  /** @returns the view that it replaces @throws RpcError `too_many_members` */
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
    const limit = this.#owner.limits.presencesPerUser
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

  /**
   * A member stays for the grace period after a lost connection, and leaves at once after a clean
   * or final close.
   */
  #graceAfter(code: number): number {
    return CLEAN_CLOSE_CODES.has(code) || !shouldReconnect(code) ? 0 : this.#owner.presenceGrace
  }

  /** Calls the engine for a socket, after the earlier calls for it. */
  #tell<T>({ sid, channel }: PresenceEntry, run: () => Promise<T>): Promise<T> {
    return this.#inOrder.run(`${sid} ${channel}`, run)
  }

  /** Not awaited: entries that the engine could not remove expire. */
  #retire(entry: PresenceEntry, grace: number): void {
    this.#tell(entry, () => this.#owner.presence.leave(entry, grace)).catch((cause) =>
      this.#owner.failed(cause, { step: 'presence', channel: entry.channel }),
    )
  }

  /** Sends the members again to sockets that miss changes: one read for all of them. */
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
      // The next change tries again.
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

/** The JSON of a `umd`, which is the same object on all channels of a socket. */
const UMD_JSON = new WeakMap<object, string>()

function encodeUmd(umd: unknown): string {
  if (typeof umd !== 'object' || umd === null) return encodeData(umd)
  const json = UMD_JSON.get(umd) ?? encodeData(umd)
  UMD_JSON.set(umd, json)
  return json
}

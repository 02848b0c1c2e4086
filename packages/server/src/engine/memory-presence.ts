import { randomBytes } from 'node:crypto'
import { limitError, TimeoutScheduler } from '@token-socket/protocol'
import type { Presence, PresenceEntry, PresenceEvent, PresenceMember, PresenceSnapshot } from './engine.js'

/** The members of the channels of one process. They end with the process, as the sockets do. */
export class MemoryPresence implements Presence {
  readonly #channels = new Map<string, ChannelMembers>()
  /** One timer for all grace periods; it does not keep the process alive. */
  readonly #graces = new TimeoutScheduler<ChannelMember>((attendee) => this.#leaveIfGone(attendee))
  readonly #onchange: (event: PresenceEvent) => void

  readonly #limit: number
  #size = 0

  /**
   * @param onchange receives each change, before the call that made it resolves; those of a channel
   *   in the order of `seq`
   * @param limit members of all channels together. @default no limit
   */
  constructor(onchange: (event: PresenceEvent) => void, limit = Number.POSITIVE_INFINITY) {
    this.#onchange = onchange
    this.#limit = limit
  }

  /** Members of all channels. */
  get size(): number {
    return this.#size
  }

  async enter({ channel, sid, uid, umd }: PresenceEntry, limit: number): Promise<PresenceSnapshot> {
    const attendance = this.#channels.get(channel) ?? new ChannelMembers(channel)
    const known = attendance.attendees.get(uid)
    if (!known && attendance.attendees.size >= limit)
      throw limitError('too_many_members', { field: 'members', limit })
    if (!known && this.#size >= this.#limit)
      throw limitError('too_many_members', { field: 'presences', limit: this.#limit })
    if (!known) this.#size += 1
    this.#channels.set(channel, attendance)
    const attendee = known ?? new ChannelMember(uid, attendance)
    const isNews = !known || known.umd !== umd
    attendee.umd = umd
    attendee.sids.add(sid)
    attendee.staysUntil = 0
    this.#graces.delete(attendee)
    attendance.attendees.set(uid, attendee)
    if (isNews) this.#tell(attendee, known ? 'updated' : 'joined')
    return attendance.snapshot()
  }

  async leave({ channel, sid, uid }: PresenceEntry, grace: number): Promise<void> {
    const attendee = this.#channels.get(channel)?.attendees.get(uid)
    if (!attendee?.sids.delete(sid)) return
    const until = performance.now() + grace
    if (grace > 0 && until > attendee.staysUntil) {
      attendee.staysUntil = until
      this.#graces.set(attendee, grace)
    }
    if (attendee.staysUntil === 0) this.#leaveIfGone(attendee)
  }

  async members(channel: string): Promise<PresenceSnapshot> {
    return (this.#channels.get(channel) ?? new ChannelMembers(channel)).snapshot()
  }

  /** Forgets all members without a report. Leaves no timer. */
  clear(): void {
    this.#channels.clear()
    this.#size = 0
    this.#graces.clear()
  }

  /** Ends its grace periods. */
  #leaveIfGone(attendee: ChannelMember): void {
    attendee.staysUntil = 0
    if (attendee.sids.size > 0) return
    const { attendees, channel } = attendee.channelMembers
    if (attendees.delete(attendee.uid)) this.#size -= 1
    // Clients choose the names: a channel without members must cost nothing. Its count begins
    // again, in another epoch.
    if (attendees.size === 0) this.#channels.delete(channel)
    this.#tell(attendee, 'left')
  }

  #tell({ channelMembers, uid, umd }: ChannelMember, change: PresenceEvent['change']): void {
    channelMembers.seq += 1
    const { channel, seq, epoch } = channelMembers
    this.#onchange({ channel, change, ...memberOf({ uid, umd }), seq, epoch })
  }
}

/** The members of one channel. */
class ChannelMembers {
  readonly attendees = new Map<string, ChannelMember>()
  readonly epoch = randomBytes(8).toString('base64url')
  seq = 0

  constructor(readonly channel: string) {}

  snapshot(): PresenceSnapshot {
    return { members: [...this.attendees.values()].map(memberOf), seq: this.seq, epoch: this.epoch }
  }
}

/** A member of one channel, and its sockets. */
class ChannelMember {
  umd: string | undefined
  readonly sids = new Set<string>()
  /** When the last grace period of a socket ends, by `performance.now()`; 0 if there is none. */
  staysUntil = 0

  constructor(
    readonly uid: string,
    readonly channelMembers: ChannelMembers,
  ) {}
}

function memberOf({ uid, umd }: PresenceMember): PresenceMember {
  return umd === undefined ? { uid } : { uid, umd }
}

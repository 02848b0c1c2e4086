import {
  type Draft,
  type EventIds,
  type EvictionListener,
  type HistoryPage,
  type HistoryQuery,
  newEpoch,
  POSITION_TTL,
  type Publication,
  type Retention,
} from '@token-socket/server/engine'
import type { DueTimes } from './due-times.js'
import type { Table } from './receipts.js'

/** Limits of {@link StoredChannels}; see the engine's options of these names. */
export interface ChannelLimits {
  readonly channels: number
  readonly channelBytes: number
  readonly historyBytes: number
}

/** The record of a channel. */
export interface ChannelRecord {
  readonly epoch: string
  /** The offset of the last publication. */
  readonly offset: number
  /** The offset before that of the first kept publication. */
  readonly first: number
  readonly lastId: string
  /** When the last of them expires. */
  readonly expires: number
  /** The time of its entry among the due times. @default none: an older version wrote the record */
  readonly due?: number
  /** Bytes of its publications. @default 0 */
  readonly bytes?: number
  /**
   * Whether it is the server's own. It has no due time, so that no limit applies to it. @default
   * false
   */
  readonly isReserved?: boolean
}

/** A kept publication. */
export interface PublicationRecord extends Omit<Publication, 'channel' | 'offset'> {
  readonly expires: number
  /** The bytes that it counts for. @default 0: an older version wrote it */
  readonly bytes?: number
}

/**
 * An array, because a joined text could have the same name for two pairs. The database compares its
 * parts in order.
 */
export type ChannelKey = [channel: string, offset: number]

/** Tables of {@link StoredChannels}. */
export interface ChannelTables {
  /** Numbers by their names. */
  readonly meta: Table<string | number, string>
  readonly channels: Table<ChannelRecord, string>
  readonly publications: Table<PublicationRecord, ChannelKey>
  /** Channels with kept publications, by a time not later than the expiry of their first one. */
  readonly live: DueTimes
  /** Channels without kept publications, by the expiry of their position. */
  readonly idle: DueTimes
}

/** Bytes that a publication takes in addition to its texts. */
const ENTRY = 160

/**
 * Due times that each publication on a new channel handles: more than it creates, so that sweeps
 * keep up.
 */
const SHARE = 3

/** Publications that one publication may remove, at most, so that it does not take long. */
const MOST_DROPPED = 1000

/** The number of generations of channels. */
const GENERATIONS = 4096

/**
 * Publications and positions of channels. All methods that write run within a transaction. Over the
 * limit of bytes, the publications that expire first are removed. Over the limit of channels, the
 * one that has been idle for longest is removed, and begins in a new epoch.
 */
export class StoredChannels {
  readonly #tables: ChannelTables
  readonly #limits: ChannelLimits
  readonly #ids: EventIds
  /** The database's name in epochs. */
  readonly #store: string
  #size: number
  #bytes: number
  /** Receives the name of a limit each time that the limit removes publications early. */
  onevict: EvictionListener = () => {}

  /** @param size how many channels exist */
  constructor(tables: ChannelTables, limits: ChannelLimits, { size, store, ids }: StoredChannelsState) {
    this.#tables = tables
    this.#limits = limits
    this.#size = size
    this.#store = store
    this.#ids = ids
    this.#bytes = Number(tables.meta.get('bytes') ?? 0)
  }

  /** The numbers of channels and bytes that are kept. */
  get size(): { readonly channels: number; readonly bytes: number } {
    return { channels: this.#size, bytes: this.#bytes }
  }

  /** Keeps a publication. @returns it with its position */
  add(draft: Draft, retention: Retention): Publication {
    const { size, ttl, isReserved = false } = retention
    const now = Date.now()
    const { channel, ...rest } = draft
    const before = this.#tables.channels.get(channel) ?? this.#begin(channel, now)
    const offset = before.offset + 1
    const id = this.#idAfter(before.lastId)
    const bytes = isReserved ? 0 : bytesOf(rest)
    const over = now + ttl
    const { epoch } = before
    this.#tables.publications.put([channel, offset], { ...rest, id, epoch, expires: over, bytes })
    this.#count(bytes)
    const expires = Math.max(before.expires, over)
    const added = { ...before, offset, lastId: id, expires, bytes: (before.bytes ?? 0) + bytes }
    const record = isReserved ? { ...this.#trim(channel, added, now), isReserved } : added
    const isTooMuch = (left: ChannelRecord) =>
      offset - left.first > size || (left.bytes ?? 0) > this.#limits.channelBytes
    if ((record.bytes ?? 0) > this.#limits.channelBytes) this.onevict('channelBytes')
    this.#settle(channel, before, this.#drop(channel, record, isTooMuch))
    this.#makeRoom()
    return { ...draft, id, epoch, offset }
  }

  /** Reads the kept publications of a channel. */
  read(channel: string, query: HistoryQuery): HistoryPage {
    const record = this.#tables.channels.get(channel)
    if (!record) {
      const epoch = newEpoch(this.#storeOf(channel))
      return { position: { epoch, offset: 0 }, publications: [], more: false }
    }
    const { epoch, offset } = record
    return { position: { epoch, offset }, ...this.#find(channel, record, query) }
  }

  /**
   * Removes what has expired. @param limit due times to check @returns whether there may be more
   */
  sweep(now: number, limit: number): boolean {
    const { live, idle, channels } = this.#tables
    const due = live.until(now, limit)
    for (const [time, channel] of due) {
      const record = channels.get(channel)
      if (record?.due !== time) live.delete(channel, time)
      else this.#settle(channel, record, this.#trim(channel, record, now))
    }
    const over = idle.until(now, limit)
    for (const [time, channel] of over) {
      idle.delete(channel, time)
      if (channels.get(channel)?.due === time) this.#forget(channel)
    }
    return due.length === limit || over.length === limit
  }

  /** Gives a channel of an older version a due time, so that it is swept like the others. */
  adopt(channel: string, record: ChannelRecord): void {
    if (record.due === undefined && !record.isReserved) this.#settle(channel, record, record)
  }

  #find(
    channel: string,
    record: ChannelRecord,
    query: HistoryQuery,
  ): Pick<HistoryPage, 'publications' | 'more'> {
    const { after, before, limit, bytes = Number.POSITIVE_INFINITY, reverse } = query
    const start = after === undefined ? record.first + 1 : this.#offsetAfter(channel, record, after)
    const end = before === undefined ? record.offset : this.#search(channel, record, (id) => id >= before) - 1
    const publications: Publication[] = []
    const now = Date.now()
    const range = reverse
      ? { start: [channel, end], end: [channel, start - 0.5], reverse: true }
      : { start: [channel, start], end: [channel, end + 0.5] }
    if (start > end || limit === 0) return { publications, more: start <= end }
    let size = 0
    for (const { key, value } of this.#tables.publications.getRange(range as object)) {
      const { expires, bytes: _counted, ...rest } = value
      if (expires <= now) continue
      size += Buffer.byteLength(rest.json) + Buffer.byteLength(rest.meta ?? '')
      if (publications.length >= limit || (size > bytes && publications.length > 0))
        return { publications, more: true }
      publications.push({ channel, ...rest, offset: key[1] })
    }
    return { publications, more: false }
  }

  #offsetAfter(channel: string, record: ChannelRecord, after: string | number): number {
    if (typeof after === 'number') return Math.max(after, record.first) + 1
    return this.#search(channel, record, (id) => id > after)
  }

  /**
   * Returns the offset of the first publication whose id matches. All later ones match too; offsets
   * may be missing between them.
   */
  #search(channel: string, record: ChannelRecord, isWanted: (id: string) => boolean): number {
    let low = record.first + 1
    let high = record.offset + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const range = { start: [channel, middle], end: [channel, high - 0.5], limit: 1 }
      const [entry] = this.#tables.publications.getRange(range as object)
      if (!entry || isWanted(entry.value.id)) high = middle
      else low = entry.key[1] + 1
    }
    return low
  }

  #begin(channel: string, now: number): ChannelRecord {
    this.sweep(now, SHARE)
    while (this.#size >= this.#limits.channels && this.#forgetOldest());
    this.#size += 1
    const epoch = newEpoch(this.#storeOf(channel), now)
    return { epoch, offset: 0, first: 0, lastId: '', expires: 0 }
  }

  /** Writes a channel's record, with the right due time. */
  #settle(channel: string, { due: before, first, offset }: ChannelRecord, record: ChannelRecord): void {
    const { live, idle, channels, publications } = this.#tables
    if (record.isReserved) return void channels.put(channel, record)
    const wasLive = offset > first
    const isLive = record.offset > record.first
    const earliest = () => publications.get([channel, record.first + 1])?.expires ?? record.expires
    const time = isLive ? earliest() : record.expires + POSITION_TTL
    // A due time that is too early costs one check; one that is too late keeps expired
    // publications.
    const isRight = before !== undefined && wasLive && isLive && before <= time && before > Date.now()
    if (isRight) return void channels.put(channel, { ...record, due: before })
    if (before !== undefined) (wasLive ? live : idle).delete(channel, before)
    if (isLive) live.set(channel, time)
    else idle.set(channel, time)
    channels.put(channel, { ...record, due: time })
  }

  /** Removes the oldest while a condition holds. */
  #drop(
    channel: string,
    record: ChannelRecord,
    isWanted: (left: ChannelRecord, next: PublicationRecord | undefined) => boolean,
  ): ChannelRecord {
    let left = record
    for (let count = 0; left.first < left.offset && count < MOST_DROPPED; count += 1) {
      const key: ChannelKey = [channel, left.first + 1]
      const oldest = this.#tables.publications.get(key)
      if (!isWanted(left, oldest)) break
      if (oldest) this.#tables.publications.remove(key)
      const { bytes = 0 } = oldest ?? {}
      this.#count(-bytes)
      left = { ...left, first: left.first + 1, bytes: Math.max(0, (left.bytes ?? 0) - bytes) }
    }
    return left
  }

  /** Removes expired publications, from the oldest on. */
  #trim(channel: string, record: ChannelRecord, now: number): ChannelRecord {
    return this.#drop(channel, record, (_left, next) => next === undefined || next.expires <= now)
  }

  /** Removes the publications that expire first, until the rest is within the limit. */
  #makeRoom(): void {
    const { live, channels } = this.#tables
    if (this.#bytes > this.#limits.historyBytes) this.onevict('historyBytes')
    for (let count = 0; count < MOST_DROPPED && this.#bytes > this.#limits.historyBytes; count += 1) {
      const [time, channel] = live.first ?? []
      if (time === undefined || channel === undefined) return
      const record = channels.get(channel)
      if (record?.due !== time) live.delete(channel, time)
      else {
        const isTooMuch = () => this.#bytes > this.#limits.historyBytes
        this.#settle(channel, record, this.#drop(channel, record, isTooMuch))
      }
    }
  }

  /** @returns whether there was one */
  #forgetOldest(): boolean {
    const { live, idle, channels, meta } = this.#tables
    const due = idle.first ?? live.first
    if (!due) return false
    const [time, channel] = due
    for (const times of [idle, live]) times.delete(channel, time)
    const record = channels.get(channel)
    if (record?.due !== time) return true
    this.#drop(channel, record, () => true)
    this.#forget(channel)
    const name = generationOf(channel)
    meta.put(name, Number(meta.get(name) ?? 0) + 1)
    this.onevict('channels')
    return true
  }

  #forget(channel: string): void {
    this.#tables.channels.remove(channel)
    this.#size -= 1
  }

  #count(bytes: number): void {
    if (bytes === 0) return
    this.#bytes = Math.max(0, this.#bytes + bytes)
    this.#tables.meta.put('bytes', this.#bytes)
  }

  /**
   * Returns the name of the store in a channel's epoch. It changes when a channel of the same
   * generation is removed. So no epoch is used twice: a client that saw that channel empty does not
   * take the next epoch for the one that followed.
   */
  #storeOf(channel: string): string {
    const generation = Number(this.#tables.meta.get(generationOf(channel)) ?? 0)
    return generation === 0 ? this.#store : `${this.#store}-${generation.toString(36)}`
  }

  /** The clock may have been set back since the last process. */
  #idAfter(lastId: string): string {
    const id = this.#ids.next()
    if (id > lastId) return id
    this.#ids.raise(lastId)
    return this.#ids.next()
  }
}

/** The initial state of {@link StoredChannels}. */
export interface StoredChannelsState {
  readonly size: number
  readonly store: string
  readonly ids: EventIds
}

function bytesOf({ json, event, meta }: Omit<Draft, 'channel'>): number {
  return ENTRY + Buffer.byteLength(json) + (event?.length ?? 0) + Buffer.byteLength(meta ?? '')
}

/** Returns the name of a channel's generation, which several channels share. */
function generationOf(channel: string): string {
  let hash = 0
  for (let at = 0; at < channel.length; at += 1) hash = (hash * 31 + channel.charCodeAt(at)) | 0
  return `generation ${(hash >>> 0) % GENERATIONS}`
}

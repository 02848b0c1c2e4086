import { randomBytes } from 'node:crypto'
import {
  type Draft,
  EventIds,
  type History,
  type HistoryPage,
  type HistoryQuery,
  newEpoch,
  POSITION_TTL,
  type Position,
  type Publication,
  type PublishOptions,
  type Receipt,
  type Retention,
  receiptOf,
} from '@token-socket/server'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type OwnerRecord, type ReceiptName, type ReceiptRecord, Receipts } from './receipts.js'
import { type RevocationRecord, StoredRevocations } from './revocations.js'

/** A publication that was to be added. */
export interface Added {
  readonly receipt: Receipt
  /** Absent if its idempotency key was known: it was heard before. */
  readonly publication?: Publication
}

/** What is kept about a channel. */
interface ChannelRecord {
  readonly epoch: string
  /** Of the last publication. */
  readonly offset: number
  /** Below the offset of the first that is kept. */
  readonly first: number
  readonly lastId: string
  /** When the last of them is over. */
  readonly expires: number
}

interface PublicationRecord extends Omit<Publication, 'channel' | 'offset'> {
  readonly expires: number
}

/** Milliseconds between two sweeps, and how much each takes away, so that none stalls the process. */
const SWEEP = { interval: 1000, most: 500 }

/** The names of keys and channels are not the same for the database: an array's are its parts, in order. */
type ChannelKey = [channel: string, offset: number]

/** Publications, positions and idempotency keys in an LMDB database. */
export class Store implements History {
  readonly #env: RootDatabase
  readonly #channels: Database<ChannelRecord, string>
  readonly #publications: Database<PublicationRecord, ChannelKey>
  readonly #receipts: Receipts
  readonly #revocations: StoredRevocations
  readonly #ids = new EventIds()
  /** Names this database in epochs. */
  readonly #store: string
  readonly #timer: NodeJS.Timeout
  /** The channel at which the last sweep stopped; `undefined` at the end. */
  #swept: string | undefined

  /** @throws if the folder can't be used */
  constructor(path: string) {
    this.#env = open({ path, maxDbs: 8 })
    const meta: Database<string, string> = this.#env.openDB({ name: 'meta' })
    this.#store = meta.get('store') ?? randomBytes(8).toString('base64url')
    meta.putSync('store', this.#store)
    this.#channels = this.#env.openDB({ name: 'channels' })
    this.#publications = this.#env.openDB({ name: 'publications' })
    this.#receipts = new Receipts({
      receipts: this.#env.openDB<ReceiptRecord, ReceiptName>({ name: 'receipts' }),
      owners: this.#env.openDB<OwnerRecord, string>({ name: 'owners' }),
      owned: this.#env.openDB<ReceiptName, [owner: string, number: number]>({ name: 'owned' }),
    })
    this.#revocations = new StoredRevocations(
      this.#env.openDB<RevocationRecord, string>({ name: 'revocations' }),
    )
    this.#timer = setInterval(() => this.#sweep(), SWEEP.interval)
    this.#timer.unref()
  }

  /** An id for a publication that is not kept. */
  nextId(): string {
    return this.#ids.next()
  }

  /** Adds a publication, unless its key is known; resolves after the commit, in the order of the calls. */
  add(draft: Draft, options: PublishOptions): Promise<Added> {
    const { retention, idempotencyKey: key } = options
    return this.#env.transaction((): Added => {
      const known = key === undefined ? undefined : this.#receipts.get(draft.channel, key)
      if (known) return { receipt: known }
      const publication = retention ? this.#put(draft, retention) : { ...draft, id: this.#ids.next() }
      const receipt = receiptOf(publication)
      this.#receipts.put(draft.channel, options, receipt)
      return { receipt, publication }
    })
  }

  /** Notes the id of a token for some milliseconds. @returns whether it was not there */
  claim(id: string, ttl: number): Promise<boolean> {
    return this.#env.transaction(() => this.#receipts.claim(id, ttl))
  }

  /** Notes for some milliseconds that an owner's tokens of before are not good any more. */
  async revoke(owner: string, ttl: number): Promise<void> {
    await this.#env.transaction(() => this.#revocations.put(owner, ttl))
  }

  /** When that was, in milliseconds since 1970. */
  revoked(owner: string): number | undefined {
    return this.#revocations.get(owner)
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    const record = this.#channels.get(channel)
    if (!record)
      return { position: { epoch: newEpoch(this.#store), offset: 0 }, publications: [], more: false }
    const { epoch, offset } = record
    return { position: { epoch, offset }, ...this.#find(channel, record, query) }
  }

  async position(channel: string): Promise<Position> {
    return (await this.read(channel, { limit: 0 })).position
  }

  /** Resolves when all that was acknowledged is on the disk. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#env.flushed
    await this.#env.close()
  }

  /** Within a transaction. */
  #put(draft: Draft, { size, ttl }: Retention): Publication {
    const { channel, ...rest } = draft
    const now = Date.now()
    const before = this.#channels.get(channel)
    const epoch = before?.epoch ?? newEpoch(this.#store)
    const offset = (before?.offset ?? 0) + 1
    const id = this.#idAfter(before?.lastId)
    this.#publications.put([channel, offset], { ...rest, id, epoch, expires: now + ttl })
    const first = Math.max(before?.first ?? 0, offset - size)
    for (let gone = before?.first ?? 0; gone < first; gone += 1)
      this.#publications.remove([channel, gone + 1])
    const expires = Math.max(before?.expires ?? 0, now + ttl)
    this.#channels.put(channel, { epoch, offset, first, lastId: id, expires })
    return { ...draft, id, epoch, offset }
  }

  /** The clock may have been set back since the last process. */
  #idAfter(lastId: string | undefined): string {
    const id = this.#ids.next()
    if (lastId === undefined || id > lastId) return id
    this.#ids.raise(lastId)
    return this.#ids.next()
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
    for (const { key, value } of this.#publications.getRange(range as object)) {
      const { expires, ...rest } = value
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

  /** The offset of the first of whose id it is true, as it is of all later ones; there may be holes between them. */
  #search(channel: string, record: ChannelRecord, isWanted: (id: string) => boolean): number {
    let low = record.first + 1
    let high = record.offset + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const range = { start: [channel, middle], end: [channel, high - 0.5], limit: 1 }
      const [entry] = this.#publications.getRange(range as object)
      if (!entry || isWanted(entry.value.id)) high = middle
      else low = entry.key[1] + 1
    }
    return low
  }

  /** Takes away what is over, a little of it. */
  #sweep(): void {
    this.#env
      .transaction(() => {
        const now = Date.now()
        this.#receipts.sweep(now)
        this.#revocations.sweep(now)
        this.#sweepChannels(now)
      })
      .catch(() => {})
  }

  #sweepChannels(now: number): void {
    let left = SWEEP.most
    const range = {
      ...(this.#swept !== undefined && { start: this.#swept, exclusiveStart: true }),
      limit: left,
    }
    this.#swept = undefined
    for (const { key: channel, value } of this.#channels.getRange(range)) {
      const { first, gone } = this.#trim(channel, value, { now, most: left })
      left -= gone + 1
      if (value.offset === first && value.expires + POSITION_TTL <= now) this.#channels.remove(channel)
      else if (gone > 0) this.#channels.put(channel, { ...value, first })
      this.#swept = channel
      if (left <= 0) return
    }
  }

  /** Removes those whose time is over, from the oldest on. */
  #trim(
    channel: string,
    { first, offset }: ChannelRecord,
    { now, most }: { readonly now: number; readonly most: number },
  ): { readonly first: number; readonly gone: number } {
    let at = first
    while (at < offset && at - first < most) {
      const record = this.#publications.get([channel, at + 1])
      if (record && record.expires > now) break
      if (record) this.#publications.remove([channel, at + 1])
      at += 1
    }
    return { first: at, gone: at - first }
  }
}

import { randomBytes } from 'node:crypto'
import timers from 'node:timers'
import {
  type Draft,
  EventIds,
  type EvictionListener,
  type History,
  type HistoryPage,
  type HistoryQuery,
  type Position,
  type Publication,
  type PublishOptions,
  type Receipt,
  receiptOf,
} from '@token-socket/server/engine'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type DueTime, DueTimes } from './due-times.js'
import { type OwnerRecord, type ReceiptName, type ReceiptRecord, Receipts } from './receipts.js'
import { type RevocationRecord, StoredRevocations } from './revocations.js'
import {
  type ChannelKey,
  type ChannelLimits,
  type ChannelRecord,
  type ChannelTables,
  type PublicationRecord,
  StoredChannels,
} from './stored-channels.js'

/** Kept when the module loads: test tools replace the global with one that waits for a clock. */
const { setImmediate } = timers

/** The result of adding a publication. */
export interface Added {
  readonly receipt: Receipt
  /** Not set if its idempotency key was known: the publication was delivered before. */
  readonly publication?: Publication
}

/** Milliseconds between two sweeps. */
const SWEEP = 1000

/** Channels in one part of a sweep, so that it does not block the process. */
const PART = 200

/** Parts of one sweep. Publications on new channels also sweep. */
const PARTS = 20

/** Publications, positions and idempotency keys in an LMDB database. */
export class Store implements History {
  readonly #env: RootDatabase
  readonly #table: Database<ChannelRecord, string>
  readonly #channels: StoredChannels
  readonly #receipts: Receipts
  readonly #revocations: StoredRevocations
  readonly #ids = new EventIds()
  readonly #meta: Database<string | number, string>
  readonly #timer: NodeJS.Timeout
  /** The last channel of an older version that got a due time. */
  #adopted: string | undefined

  /** @throws if the folder cannot be used */
  constructor(path: string, limits: ChannelLimits) {
    this.#env = open({ path, maxDbs: 12 })
    this.#meta = this.#env.openDB({ name: 'meta' })
    this.#table = this.#env.openDB({ name: 'channels' })
    this.#channels = this.#openChannels(limits)
    this.#receipts = this.#openReceipts()
    this.#revocations = new StoredRevocations(
      this.#env.openDB<RevocationRecord, string>({ name: 'revocations' }),
    )
    this.#timer = setInterval(() => this.#sweep(), SWEEP)
    this.#timer.unref()
  }

  /** Returns an id for a publication that is not kept. */
  nextId(): string {
    return this.#ids.next()
  }

  /**
   * Sets the listener that receives the name of a limit each time that the limit removes
   * publications early.
   */
  watchEvictions(listener: EvictionListener): void {
    this.#channels.onevict = listener
  }

  /** The numbers of channels and bytes that are kept. */
  get size(): StoredChannels['size'] {
    return this.#channels.size
  }

  /**
   * Adds a publication, unless its key is known. Resolves after the commit, in the order of the
   * calls.
   */
  add(draft: Draft, options: PublishOptions): Promise<Added> {
    const { retention, idempotencyKey: key } = options
    return this.#env.transaction((): Added => {
      const known = key === undefined ? undefined : this.#receipts.get(draft.channel, key)
      if (known) return { receipt: known }
      const publication = retention
        ? this.#channels.add(draft, retention)
        : { ...draft, id: this.#ids.next() }
      const receipt = receiptOf(publication)
      this.#receipts.put(draft.channel, options, receipt)
      return { receipt, publication }
    })
  }

  /** Records the id of a token for some milliseconds. @returns whether it is new */
  claim(id: string, ttl: number): Promise<boolean> {
    return this.#env.transaction(() => this.#receipts.claim(id, ttl))
  }

  /** Records for some milliseconds that an owner's earlier tokens are revoked. */
  async revoke(owner: string, ttl: number): Promise<void> {
    await this.#env.transaction(() => this.#revocations.put(owner, ttl))
  }

  /** Returns when an owner's tokens were revoked, in milliseconds since 1970. */
  revoked(owner: string): number | undefined {
    return this.#revocations.get(owner)
  }

  async read(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    return this.#channels.read(channel, query)
  }

  async position(channel: string): Promise<Position> {
    return (await this.read(channel, { limit: 0 })).position
  }

  /** Resolves when everything acknowledged is on the disk. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#env.flushed
    await this.#env.close()
  }

  #openReceipts(): Receipts {
    const receipts = this.#env.openDB<ReceiptRecord, ReceiptName>({ name: 'receipts' })
    const owners = this.#env.openDB<OwnerRecord, string>({ name: 'owners' })
    const owned = this.#env.openDB<ReceiptName, [owner: string, number: number]>({ name: 'owned' })
    const count = () => (receipts.getStats() as { readonly entryCount: number }).entryCount
    return new Receipts({ receipts, owners, owned }, count)
  }

  #openChannels(limits: ChannelLimits): StoredChannels {
    const store = String(this.#meta.get('store') ?? randomBytes(8).toString('base64url'))
    this.#meta.putSync('store', store)
    const dueTimes = (name: string) => new DueTimes(this.#env.openDB<1, DueTime>({ name }))
    const tables: ChannelTables = {
      meta: this.#meta,
      channels: this.#table,
      publications: this.#env.openDB<PublicationRecord, ChannelKey>({ name: 'publications' }),
      live: dueTimes('live'),
      idle: dueTimes('idle'),
    }
    const { entryCount: size } = this.#table.getStats() as { readonly entryCount: number }
    return new StoredChannels(tables, limits, { size, store, ids: this.#ids })
  }

  /** Removes what has expired, in several parts. */
  #sweep(): void {
    const first = this.#env.transaction(() => {
      const now = Date.now()
      this.#revocations.sweep(now)
      this.#adopt()
      return this.#sweepPart(now)
    })
    this.#sweepOn(first).catch(() => {})
  }

  async #sweepOn(first: Promise<boolean>): Promise<void> {
    let isMore = await first
    for (let part = 1; part < PARTS && isMore; part += 1) {
      await new Promise(setImmediate)
      isMore = await this.#env.transaction(() => this.#sweepPart(Date.now()))
    }
  }

  /** @returns whether there may be more to remove */
  #sweepPart(now: number): boolean {
    const more = [this.#receipts.sweep(now), this.#channels.sweep(now, PART)]
    return more.includes(true)
  }

  /** Gives due times to the channels of an older version, some at a time. */
  #adopt(): void {
    if (this.#meta.get('adopted') !== undefined) return
    const after = this.#adopted === undefined ? {} : { start: this.#adopted, exclusiveStart: true }
    let count = 0
    for (const { key, value } of [...this.#table.getRange({ ...after, limit: PART })]) {
      this.#channels.adopt(key, value)
      this.#adopted = key
      count += 1
    }
    if (count < PART) this.#meta.put('adopted', 1)
  }
}

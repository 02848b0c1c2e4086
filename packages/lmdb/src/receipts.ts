import { IDEMPOTENCY, type PublishOptions, type Receipt } from '@token-socket/server/engine'

/** A table of the database, within a transaction. */
export interface Table<Value, Key> {
  get(key: Key): Value | undefined
  put(key: Key, value: Value): unknown
  remove(key: Key): unknown
  getRange(range: object): Iterable<{ readonly key: Key; readonly value: Value }>
}

/**
 * An array, because a joined text could have the same name for two pairs of channel and key. The
 * database compares its parts in order.
 */
export type ReceiptName = [channel: string, key: string]

/** The record of an idempotency key, or of the id of a token. */
export interface ReceiptRecord {
  readonly receipt: Receipt
  readonly expires: number
  /** The owner of the key, and its number among the owner's keys. */
  readonly owner?: string
  readonly number?: number
}

/** The numbers of an owner's keys: from `first` on, below `next`. */
export interface OwnerRecord {
  readonly first: number
  readonly next: number
}

/** Tables of {@link Receipts}. */
export interface ReceiptTables {
  readonly receipts: Table<ReceiptRecord, ReceiptName>
  readonly owners: Table<OwnerRecord, string>
  /** The names of each owner's keys, by their numbers. */
  readonly owned: Table<ReceiptName, [owner: string, number: number]>
}

/** Entries of each kind that one sweep checks, so that it does not block the process. */
const SWEEP = 500

/** Milliseconds in which sweeps check all keys once: half of a key's life. */
const ROUND = IDEMPOTENCY.ttl / 2

/**
 * Idempotency keys and the ids of used tokens. All methods run within a transaction. An owner has a
 * limited number of keys. They expire in the order in which they were added, so that the oldest are
 * always first.
 */
export class Receipts {
  readonly #tables: ReceiptTables
  #swept: ReceiptName | undefined
  #sweptOwner: string | undefined
  readonly #count: () => number
  /** When the round began, how many keys existed then, and how many it has checked. */
  #round = { began: 0, size: 0, seen: 0 }

  /** @param count returns how many receipts exist */
  constructor(tables: ReceiptTables, count: () => number) {
    this.#tables = tables
    this.#count = count
  }

  get(channel: string, key: string): Receipt | undefined {
    const record = this.#tables.receipts.get([channel, key])
    return record && record.expires > Date.now() ? record.receipt : undefined
  }

  put(channel: string, { idempotencyKey: key, keyOwner: owner }: PublishOptions, receipt: Receipt): void {
    if (key === undefined) return
    const record = { receipt, expires: Date.now() + IDEMPOTENCY.ttl }
    if (owner === undefined) return void this.#tables.receipts.put([channel, key], record)
    const number = this.#own(owner, [channel, key])
    this.#tables.receipts.put([channel, key], { ...record, owner, number })
  }

  /** Records the id of a token for some milliseconds. @returns whether it is new */
  claim(id: string, ttl: number): boolean {
    // No channel has an empty name.
    if (this.get('', id)) return false
    this.#tables.receipts.put(['', id], { receipt: { id }, expires: Date.now() + ttl })
    return true
  }

  /**
   * Removes a part of what has expired. @returns whether there may be more, or the round is late
   */
  sweep(now: number): boolean {
    if (this.#swept === undefined) this.#round = { began: now, size: this.#count(), seen: 0 }
    const found = this.#sweepReceipts(now) + this.#sweepOwners(now)
    const { began, size, seen } = this.#round
    return found >= SWEEP / 4 || seen < (size * (now - began)) / ROUND
  }

  /** Makes room for a further key of an owner. @returns its number */
  #own(owner: string, name: ReceiptName): number {
    const { owners, owned } = this.#tables
    let { first, next } = owners.get(owner) ?? { first: 0, next: 0 }
    for (; next - first >= IDEMPOTENCY.keysPerOwner; first += 1) this.#drop(owner, first)
    owned.put([owner, next], name)
    owners.put(owner, { first, next: next + 1 })
    return next
  }

  /** The key may be known again, by another number, because this one had expired. */
  #drop(owner: string, number: number): void {
    const { receipts, owned } = this.#tables
    const name = owned.get([owner, number])
    owned.remove([owner, number])
    const record = name && receipts.get(name)
    if (name && record?.owner === owner && record.number === number) receipts.remove(name)
  }

  #isOver(owner: string, number: number, now: number): boolean {
    const name = this.#tables.owned.get([owner, number])
    const record = name && this.#tables.receipts.get(name)
    return record?.owner !== owner || record.number !== number || record.expires <= now
  }

  #sweepReceipts(now: number): number {
    let last: ReceiptName | undefined
    let found = 0
    for (const { key, value } of this.#tables.receipts.getRange(rangeAfter(this.#swept))) {
      last = key
      this.#round.seen += 1
      if (value.expires > now) continue
      this.#tables.receipts.remove(key)
      found += 1
    }
    // If none was left, the next sweep begins with the first again.
    this.#swept = last
    return found
  }

  #sweepOwners(now: number): number {
    let left = SWEEP
    let found = 0
    let last: string | undefined
    for (const { key: owner, value } of this.#tables.owners.getRange(rangeAfter(this.#sweptOwner))) {
      let { first } = value
      for (; first < value.next && left > 0 && this.#isOver(owner, first, now); left -= 1) {
        this.#drop(owner, first)
        first += 1
      }
      found += first - value.first
      if (first === value.next) this.#tables.owners.remove(owner)
      else if (first > value.first) this.#tables.owners.put(owner, { first, next: value.next })
      last = owner
      left -= 1
      if (left <= 0) break
    }
    this.#sweptOwner = last
    return found
  }
}

/** Returns the range after a key that one sweep checks. */
function rangeAfter<Key>(key: Key | undefined) {
  return { ...(key !== undefined && { start: key, exclusiveStart: true }), limit: SWEEP }
}

import type { Table } from './receipts.js'

/** When an owner's tokens were revoked, and until when this is known: milliseconds since 1970. */
export interface RevocationRecord {
  readonly time: number
  readonly expires: number
}

/** Entries that one sweep checks, so that it does not block the process. */
const SWEEP = 500

/**
 * The owners whose tokens were revoked. All methods except {@link get} run within a transaction.
 */
export class StoredRevocations {
  readonly #table: Table<RevocationRecord, string>
  #swept: string | undefined

  constructor(table: Table<RevocationRecord, string>) {
    this.#table = table
  }

  get(owner: string): number | undefined {
    const record = this.#table.get(owner)
    return record && record.expires > Date.now() ? record.time : undefined
  }

  put(owner: string, ttl: number): void {
    const time = Date.now()
    this.#table.put(owner, { time, expires: time + ttl })
  }

  /** Removes a part of what has expired. */
  sweep(now: number): void {
    const after = this.#swept === undefined ? {} : { start: this.#swept, exclusiveStart: true }
    this.#swept = undefined
    for (const { key, value } of this.#table.getRange({ ...after, limit: SWEEP })) {
      if (value.expires <= now) this.#table.remove(key)
      this.#swept = key
    }
  }
}

import type { Table } from './receipts.js'

/** When an owner's tokens were taken back, and until when that is known: milliseconds since 1970. */
export interface RevocationRecord {
  readonly time: number
  readonly expires: number
}

/** Entries that one sweep looks at, so that none stalls the process. */
const SWEEP = 500

/** Whose tokens were taken back. All methods run within a transaction, but {@link get}. */
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

  /** Takes away what is over, a little of it. */
  sweep(now: number): void {
    const after = this.#swept === undefined ? {} : { start: this.#swept, exclusiveStart: true }
    this.#swept = undefined
    for (const { key, value } of this.#table.getRange({ ...after, limit: SWEEP })) {
      if (value.expires <= now) this.#table.remove(key)
      this.#swept = key
    }
  }
}

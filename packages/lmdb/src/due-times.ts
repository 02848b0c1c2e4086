import type { Table } from './receipts.js'

/** The time at which a channel is due, in milliseconds since 1970, and the channel. */
export type DueTime = [time: number, channel: string]

/** Channels by the time at which they are due. All methods run within a transaction. */
export class DueTimes {
  readonly #table: Table<1, DueTime>

  constructor(table: Table<1, DueTime>) {
    this.#table = table
  }

  set(channel: string, time: number): void {
    this.#table.put([time, channel], 1)
  }

  delete(channel: string, time: number): void {
    this.#table.remove([time, channel])
  }

  /** The earliest, if there is one. */
  get first(): DueTime | undefined {
    for (const { key } of this.#table.getRange({ limit: 1 })) return key
    return undefined
  }

  /** Returns those that are due, the earliest first. @param limit how many at most */
  until(now: number, limit: number): DueTime[] {
    const keys: DueTime[] = []
    for (const { key } of this.#table.getRange({ limit })) {
      if (key[0] > now) break
      keys.push(key)
    }
    return keys
  }
}

import { randomBytes } from 'node:crypto'
import { decodeTime, encodeTime, monotonicFactory } from 'ulid'
import type { Publication, Receipt } from './engine.js'

/**
 * Makes the ids of publications: ULIDs, each greater than all before it, also when the clock jumps back.
 * Source: https://github.com/ulid/spec
 */
export class EventIds {
  readonly #next = monotonicFactory(randomNumbers())
  readonly #now: () => number

  /** @param now the time in milliseconds since 1970. @default this machine's clock */
  constructor(now: () => number = () => Date.now()) {
    this.#now = now
  }

  /** Returns a new id, with the current time or that of the latest id, whichever is later. */
  next(): string {
    // The library takes the time 0 for none.
    return this.#next(Math.max(1, this.#now()))
  }

  /** Later ids are greater than this one, which another process made. */
  raise(id: string): void {
    this.#next(decodeTime(id) + 1)
  }
}

/**
 * Random numbers from 0 up to 1, of 8 bits. The library would ask the system for each of the 16
 * numbers of a new id.
 */
function randomNumbers(): () => number {
  let bytes = Buffer.alloc(0)
  let used = 0
  return () => {
    if (used === bytes.length) {
      bytes = randomBytes(512)
      used = 0
    }
    return bytes.readUInt8(used++) / 256
  }
}

/** Returns the time in an id, in milliseconds since 1970. */
export function timeOf(id: string): number {
  return decodeTime(id)
}

/** Returns a text below every id of this time or later. @param time milliseconds since 1970 */
export function firstIdAt(time: number): string {
  return encodeTime(Math.max(0, Math.ceil(time)))
}

/** Returns the receipt of a publication. */
export function receiptOf({ id, epoch, offset }: Publication): Receipt {
  return epoch === undefined || offset === undefined ? { id } : { id, epoch, offset }
}

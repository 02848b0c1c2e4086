import type { Batch } from './batch.js'
import { ListBatch } from './batch.js'
import type { InboxScheduler, WaitingInbox } from './inbox-scheduler.js'

/** The most messages of one socket in one turn. */
const MESSAGES = 64

/**
 * UTF-16 code units of a message that count as one more message: a turn has 256 KiB of long
 * messages.
 */
const UNIT = 4096

/** Messages between two readings of the clock. */
const LOOK = 8

/** The most milliseconds of work of one socket in one turn, from the first reading on. */
const WORK = 4

/** The connection of an {@link Inbox}. */
export interface InboxOwner {
  /** Handles a message. */
  take(message: unknown): void
  /** Messages wait: the connection has to stop reading. */
  pause(): void
  /** No message waits any longer: the connection may read again. */
  resume(): void
}

/**
 * The incoming messages of one connection, handled in order: at once while the socket's share of
 * this turn lasts, and in later turns after that. While messages wait, the connection does not
 * read, so that their number is bounded.
 */
export class Inbox implements WaitingInbox {
  readonly #owner: InboxOwner
  readonly #scheduler: InboxScheduler
  #turn = -1
  #left = 0
  /** When the turn of this socket ends; 0 until it has read the clock. */
  #until = 0
  /** The waiting messages, oldest first; `undefined` if there are none. */
  #waiting: Batch[] | undefined
  /** The first batch that is not taken. */
  #at = 0
  #isPaused = false
  #isClosed = false
  #isFinishing = false
  /** Whether the scheduler has it. */
  #isScheduled = false
  #ended: (() => void) | undefined

  constructor(owner: InboxOwner, scheduler: InboxScheduler) {
    this.#owner = owner
    this.#scheduler = scheduler
  }

  /** Whether messages wait. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** Whether messages are not handled for now. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Handles no message until it is called again with `false`. */
  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused || this.#isFinishing || this.#isClosed) return
    this.#isPaused = isPaused
    if (isPaused) this.#owner.pause()
    else if (this.#waiting === undefined) this.#owner.resume()
    else this.#schedule()
  }

  /** A message arrived. */
  receive(message: unknown): void {
    if (this.#isClosed) return
    if (this.#waiting !== undefined || !this.#mayTake()) return this.#wait(new ListBatch([message]))
    this.#take(message)
  }

  /** Several messages arrived together. */
  receiveAll(batch: Batch): void {
    if (this.#isClosed) return
    if (this.#waiting !== undefined) return this.#wait(batch)
    while (this.#mayTake()) {
      const message = batch.next()
      if (message === undefined) return
      this.#take(message)
      if (this.#isClosed) return
    }
    this.#wait(batch)
  }

  /**
   * No further message arrives. @param done called when the waiting ones are handled; at once if
   * there are none
   */
  end(done: () => void): void {
    if (this.#waiting === undefined) done()
    else this.#ended = done
  }

  /** The same, and nothing pauses it any longer: the connection has ended. */
  finish(done: () => void): void {
    this.setPaused(false)
    this.#isFinishing = true
    this.end(done)
  }

  /** Drops all messages, now and later. */
  close(): void {
    this.#isClosed = true
    this.#waiting = undefined
    this.#ended = undefined
  }

  work(count: number): 'now' | 'later' | 'done' {
    for (let left = count; left > 0 && this.#canWork; left -= 1) {
      if (!this.#mayTake()) return 'later'
      const message = this.#next()
      if (message === undefined) this.#drained()
      else this.#take(message)
    }
    if (this.#canWork) return 'now'
    this.#isScheduled = false
    return 'done'
  }

  get #canWork(): boolean {
    return this.#waiting !== undefined && !this.#isPaused
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#scheduler.add(this)
  }

  /** Whether this turn has room for one more message, which then counts. */
  #mayTake(): boolean {
    if (this.#isPaused) return false
    if (this.#turn !== this.#scheduler.turn) return this.#begin()
    if (this.#left <= 0 || this.#scheduler.isOver()) return false
    this.#left -= 1
    return this.#left % LOOK !== 0 || this.#hasTime()
  }

  #hasTime(): boolean {
    const now = this.#scheduler.now()
    if (this.#until === 0) this.#until = now + WORK
    return now < this.#until
  }

  #begin(): boolean {
    this.#turn = this.#scheduler.turn
    this.#until = 0
    const hasTurn = this.#scheduler.begin()
    this.#left = hasTurn ? MESSAGES - 1 : 0
    return hasTurn
  }

  #take(message: unknown): void {
    if (typeof message === 'string' && message.length >= UNIT) this.#countLong(message.length)
    this.#owner.take(message)
  }

  #countLong(size: number): void {
    this.#left -= Math.floor(size / UNIT)
    this.#scheduler.countLong(size)
  }

  #wait(batch: Batch): void {
    if (this.#waiting) return void this.#waiting.push(batch)
    this.#waiting = [batch]
    this.#at = 0
    if (this.#isPaused) return
    this.#schedule()
    this.#owner.pause()
  }

  #next(): unknown {
    for (; ; this.#at += 1) {
      const batch = this.#waiting?.[this.#at]
      const message = batch?.next()
      if (batch === undefined || message !== undefined) return message
    }
  }

  #drained(): void {
    this.#waiting = undefined
    const ended = this.#ended
    this.#ended = undefined
    this.#owner.resume()
    ended?.()
  }
}

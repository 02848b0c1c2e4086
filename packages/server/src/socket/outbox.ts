import { CLOSE_CODES, startTimeout } from '@token-socket/protocol'
import { Turns } from '../runtime/turns.js'
import type { BufferedConnection } from './buffered-connection.js'
import type { SlowReader } from './closings.js'
import { ReaderLag } from './reader-lag.js'
import { WriteMarks } from './write-marks.js'

/** Looks at the readers that are behind, in one `readTimeout`. */
const LOOKS = 5

/**
 * Sends what the outboxes of one event-loop turn hold when the turn ends, and looks at those whose readers are behind, with
 * one timer for all of them.
 */
export class Flusher {
  /** Each outbox is in it once: it knows whether it is. */
  #due: Outbox[] = []
  readonly #turns: Turns
  readonly #behind = new Set<Outbox>()
  readonly #every: number
  #lookedAt = 0
  #stopTimer: (() => void) | undefined

  /** @param readTimeout milliseconds after which a reader that takes nothing is slow; see {@link Outbox} */
  constructor(readTimeout = 5000, turns = new Turns()) {
    this.#every = readTimeout / LOOKS
    this.#turns = turns
  }

  /** This outbox has something to send. */
  schedule(outbox: Outbox): void {
    if (this.#due.length === 0) this.#turns.defer(this.#endTurn)
    this.#due.push(outbox)
  }

  /** Ends the turn: sends now. */
  flush(): void {
    const due = this.#due
    this.#due = []
    for (const outbox of due) outbox.endTurn()
  }

  readonly #endTurn = () => this.flush()

  /** Looks at this outbox from time to time, until it is no longer behind. Harmless if it is watched already. */
  watch(outbox: Outbox): void {
    if (this.#behind.size === 0) this.#lookSoon()
    this.#behind.add(outbox)
  }

  /** Ends {@link watch}. */
  unwatch(outbox: Outbox): void {
    if (!this.#behind.delete(outbox) || this.#behind.size > 0) return
    this.#stopTimer?.()
  }

  #lookSoon(): void {
    this.#stopTimer?.()
    this.#lookedAt = performance.now()
    this.#stopTimer = startTimeout(this.#every, () => this.#look())
  }

  #look(): void {
    // While the process stood still, readers may have read: their progress is seen at the next look.
    const elapsed = Math.min(performance.now() - this.#lookedAt, 2 * this.#every)
    for (const outbox of this.#behind) outbox.look(elapsed)
    if (this.#behind.size > 0) this.#lookSoon()
  }
}

/** Settings of an {@link Outbox}. */
export interface OutboxOptions {
  readonly flusher: Flusher
  /** UTF-16 code units; see {@link Outbox}. */
  readonly budget: number
  /** Milliseconds; see {@link Outbox}. */
  readonly readTimeout: number
  /** The reader is slow: the connection is about to be closed. */
  onslow?(reader: SlowReader): void
  /** The reader has caught up, after something had to wait, or after {@link Outbox.hasRoom} was false. */
  ondrained?(): void
}

/** Bytes that a connection may hold in any case: below this, streams do not report that they are drained. */
const LEAST_HIGH = 64 * 1024

/** How many budgets may wait for a reader, however much it takes, and however short it is behind. */
const MOST_BUDGETS = 16

/** Milliseconds for which more may wait than the reader takes. */
const GRACE = 250

/** Milliseconds of {@link GRACE} that one turn uses up at most: while the process stands still, no reader is seen to read. */
const TURN = GRACE / 5

/**
 * The outgoing messages of one socket, in the order in which they were added. Those of one event-loop turn leave
 * together. While the connection holds more than a quarter of the budget (at least 64 KiB), messages wait here.
 *
 * A reader is slow, and its connection is closed as `slow_consumer`, in two cases:
 * - It has taken nothing for `readTimeout`, and more than the budget waits.
 * - Live messages of earlier turns wait for 250 ms, more than the budget and what the reader has taken in the last one or
 *   two looks; or more than 16 budgets, for whatever time. Two turns do not count: the present one, and one that began with
 *   nothing waiting.
 *
 * So live messages for a reader that takes nothing cost at most what comes in 250 ms, one and a quarter of the budget, and
 * what two turns add; and never more than 16 budgets and that.
 * Bulk closes no connection at once: those who make it wait for {@link hasRoom}. Sizes are in UTF-16 code units, for each of
 * which a string in memory has one or two bytes.
 */
export class Outbox {
  readonly #connection: BufferedConnection
  readonly #options: OutboxOptions
  readonly #budget: number
  /**
   * What waits, from `#next` on; and the indexes of bulk in it, from `#nextBulk` on. As long as all that waits is bulk, the
   * indexes are not noted. An outbox in which nothing waits has no lists.
   */
  #messages: string[] | undefined
  #next = 0
  #bulk: number[] | undefined
  #nextBulk = 0
  #size = 0
  /** Live messages that wait, those of this turn, and those of a turn that began with nothing waiting. */
  #live = 0
  #turn = 0
  #spared = 0
  #isFresh = false
  #isScheduled = false
  #isAwaited = false
  /** While the reader is behind. */
  #lag: ReaderLag | undefined
  #marks: WriteMarks | undefined

  constructor(connection: BufferedConnection, options: OutboxOptions) {
    this.#connection = connection
    this.#options = options
    this.#budget = options.budget
  }

  /** Bytes in the connection from which on messages wait here. */
  get #high(): number {
    return Math.max(this.#budget / 4, LEAST_HIGH)
  }

  /** Adds a message that comes whether the reader reads or not, such as a publication. */
  add(message: string): void {
    if (this.#live === 0) this.#noteBulk()
    else if (this.#live > this.#budget && this.#isOver()) return this.overflow()
    this.#push(message)
    this.#turn += message.length
    this.#live += message.length
  }

  /** Adds a message that the client has asked for, such as an answer. */
  addBulk(message: string): void {
    this.#push(message)
    if (this.#live === 0 || !this.#messages) return
    this.#bulk ??= []
    this.#bulk.push(this.#messages.length - 1)
  }

  /**
   * Calls back once the operating system has taken what was added until now; never if the
   * connection ends before that.
   */
  whenWritten(done: () => void): void {
    const reached = () => (this.#connection.written ? this.#connection.written(done) : done())
    if (this.#size === 0) return reached()
    this.#marks ??= new WriteMarks()
    this.#marks.add(this.#size, reached)
  }

  /** UTF-16 code units that wait here. */
  get size(): number {
    return this.#size
  }

  /** Code units and bytes that wait, here and in the connection. */
  get waiting(): number {
    return this.#size + this.#connection.bufferedBytes
  }

  /** Whether at most so much waits, by default the budget. If not, `ondrained` is called once the reader has caught up. */
  hasRoom(limit = this.#budget): boolean {
    if (this.waiting <= limit) return true
    this.flush()
    const hasRoom = this.waiting <= limit
    if (!hasRoom) this.#isAwaited = true
    if (!hasRoom) this.#hearDrain()
    return hasRoom
  }

  /** Whether the connection holds at most what it may, and nothing waits here. If not, `ondrained` follows. */
  isCaughtUp(): boolean {
    return this.hasRoom(this.#high)
  }

  /** Hands what waits to the connection, as far as the reader has taken what was handed to it before. */
  flush(): void {
    // What is added while it sends belongs to the next turn.
    for (let left = this.#size; left > 0 && this.#connection.bufferedBytes <= this.#high; ) {
      const before = this.#size
      const batch = this.#take(this.#lag ? this.#high : this.#budget)
      const units = before - this.#size
      left -= units
      this.#connection.send(batch)
      this.#marks?.sent(units)
    }
    if (!this.#isScheduled) this.#settle()
  }

  /** The turn is over: sends what was added in it, as {@link flush} does. */
  endTurn(): void {
    this.#isScheduled = false
    if (this.#isFresh) this.#spared = this.#live
    this.#turn = 0
    this.flush()
    if (this.#live > this.#budget || this.#lag?.overAt !== undefined) this.#noteOver()
  }

  /** Hands all that waits to the connection, which is about to be closed. */
  end(): void {
    const size = this.#size
    if (size > 0) this.#connection.send(this.#take(Number.POSITIVE_INFINITY))
    this.#marks?.sent(size)
    this.clear()
  }

  /** Drops all that waits: the connection is gone. */
  clear(): void {
    this.#take(Number.POSITIVE_INFINITY)
    this.#marks?.clear()
    this.#options.flusher.unwatch(this)
    this.#lag = undefined
  }

  /** Looks whether the reader goes on. @param elapsed milliseconds since the last look */
  look(elapsed: number): void {
    const isTaking = this.#connection.bufferedBytes < (this.#lag?.buffered ?? 0)
    this.flush()
    if (!this.#lag) return
    this.#lag.look(elapsed, { isTaking, buffered: this.#connection.bufferedBytes })
    const { budget, readTimeout } = this.#options
    if (this.#lag.stalledFor >= readTimeout && this.waiting > budget) this.overflow()
  }

  #push(message: string): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true
      this.#isFresh = this.#size === 0
      this.#options.flusher.schedule(this)
    }
    // What was added before goes out already, if that is much: less is kept until the turn is over.
    if (this.#size > this.#budget) this.flush()
    if (this.#messages) this.#messages.push(message)
    else this.#messages = [message]
    this.#size += message.length
  }

  /** All that waits is bulk, and what follows is not. */
  #noteBulk(): void {
    if (this.#size === 0 || !this.#messages) return
    const start = this.#next
    this.#bulk = Array.from({ length: this.#messages.length - start }, (_, index) => start + index)
    this.#nextBulk = 0
  }

  /** Takes messages out, as many as make up the limit; one message alone may be larger. */
  #take(limit: number): readonly string[] {
    const messages = this.#messages ?? []
    if (this.#size > limit) return this.#takeSome(messages, limit)
    const batch = this.#next === 0 ? messages : messages.slice(this.#next)
    if (this.#lag) this.#lag.taken += this.#size
    this.#messages = this.#bulk = undefined
    this.#next = this.#nextBulk = this.#size = this.#live = this.#spared = 0
    return batch
  }

  #takeSome(messages: string[], limit: number): readonly string[] {
    const start = this.#next
    for (let size = 0; size < limit; ) {
      const { length } = messages[this.#next] ?? ''
      if (this.#bulk?.[this.#nextBulk] === this.#next) this.#nextBulk += 1
      else if (this.#live > 0) {
        this.#live -= length
        this.#spared = Math.max(0, this.#spared - length)
      }
      if (this.#lag) this.#lag.taken += length
      this.#size -= length
      size += length
      this.#next += 1
      if (this.#next === messages.length) break
    }
    const batch = messages.slice(start, this.#next)
    this.#compact(messages, start)
    return batch
  }

  /** Forgets what was taken out, and its slots once these are most. */
  #compact(messages: string[], start: number): void {
    if (this.#next * 2 < messages.length) {
      messages.fill('', start, this.#next)
      return
    }
    this.#messages = messages.slice(this.#next)
    this.#bulk = this.#bulk?.slice(this.#nextBulk).map((index) => index - this.#next)
    this.#next = this.#nextBulk = 0
  }

  /** Notes whether the reader is behind. */
  #settle(): void {
    if (this.#size > 0 || this.#connection.bufferedBytes > this.#high) return this.#fallBehind()
    if (!this.#isAwaited && !this.#lag) return
    this.#isAwaited = false
    this.#lag = undefined
    this.#options.flusher.unwatch(this)
    this.#options.ondrained?.()
  }

  #fallBehind(): void {
    if (this.#lag) return
    this.#lag = new ReaderLag(this.#connection.bufferedBytes)
    this.#hearDrain()
    this.#options.flusher.watch(this)
  }

  /** Sees to it that what waits goes on when the network has room. Most readers are never waited for. */
  #hearDrain(): void {
    this.#connection.ondrained ??= () => this.flush()
  }

  /** Live messages that count against the reader. */
  get #old(): number {
    return this.#live - this.#turn - this.#spared
  }

  get #isMuch(): boolean {
    return this.#old > this.#budget + (this.#lag?.recentlyTaken ?? 0)
  }

  #isOver(): boolean {
    if (this.#old > MOST_BUDGETS * this.#budget) return true
    return this.#lag !== undefined && this.#lag.overFor >= GRACE && this.#isMuch
  }

  /** Notes for how long too much waits, at the end of a turn. */
  #noteOver(): void {
    if (this.#isMuch) this.#lag?.noteOver(TURN)
    else this.#lag?.forgive()
  }

  /** Closes the connection as `slow_consumer`. */
  overflow(): void {
    const { code, reason } = CLOSE_CODES.slow_consumer
    const behindFor = this.#lag ? Math.round(performance.now() - this.#lag.since) : 0
    this.#options.onslow?.({ waiting: this.waiting, behindFor })
    this.clear()
    this.#connection.close(code, reason)
  }
}

import { CLOSE_CODES, startTimeout } from '@token-socket/protocol'
import { Turns } from '../runtime/turns.js'
import type { BufferedConnection } from './buffered-connection.js'
import type { SlowReader } from './closings.js'
import { ReaderLag } from './reader-lag.js'
import { WriteMarks } from './write-marks.js'

/** Checks of readers that are behind, in one `readTimeout`. */
const LOOKS = 5

/**
 * Sends the messages of all outboxes when the event-loop turn ends, and checks those whose readers
 * are behind, with one timer for all.
 */
export class Flusher {
  /** Each outbox is in it once, by a flag of its own. */
  #due: Outbox[] = []
  readonly #turns: Turns
  readonly #behind = new Set<Outbox>()
  readonly #every: number
  #lookedAt = 0
  #stopTimer: (() => void) | undefined

  /**
   * @param readTimeout milliseconds after which a reader that reads nothing is slow; see {@link
   *   Outbox}
   */
  constructor(readTimeout = 5000, turns = new Turns()) {
    this.#every = readTimeout / LOOKS
    this.#turns = turns
  }

  /** This outbox has messages to send. */
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

  /**
   * Checks this outbox at intervals, until it is no longer behind. Harmless if it is watched
   * already.
   */
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
    // While the process was blocked, readers may have read: the next check shows their progress.
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
  /**
   * The reader has caught up, after messages had to wait, or after {@link Outbox.hasRoom} was
   * false.
   */
  ondrained?(): void
}

/**
 * Bytes that a connection may always hold: below this, streams do not report that they have
 * drained.
 */
const LEAST_HIGH = 64 * 1024

/**
 * How many budgets may wait for a reader, however fast it reads, and however short it is behind.
 */
const MOST_BUDGETS = 16

/** Milliseconds for which more may wait than the reader reads. */
const GRACE = 250

/**
 * The most milliseconds of {@link GRACE} that one turn uses up: a blocked process sees no reader
 * read.
 */
const TURN = GRACE / 5

/**
 * The outgoing messages of one socket, in order. Those of one event-loop turn are sent together.
 * While the connection holds more than a quarter of the budget (at least 64 KiB), messages wait
 * here.
 *
 * A reader is slow, and its connection is closed as `slow_consumer`, in two cases:
 * - It has read nothing for `readTimeout`, and more than the budget waits.
 * - Live messages of earlier turns wait for 250 ms, more than the budget and what the reader has
 *   read between the last checks; or more than 16 budgets, for any time. Two turns do not count:
 *   the present one, and one that began with nothing waiting.
 *
 * So live messages for a reader that reads nothing cost at most what arrives in 250 ms, one and a
 * quarter of the budget, and two turns. They never cost more than 16 budgets and two turns. Bulk
 * closes no connection at once: its producers wait for {@link hasRoom}. Sizes are in UTF-16 code
 * units, each of which takes one or two bytes of memory.
 */
export class Outbox {
  readonly #connection: BufferedConnection
  readonly #options: OutboxOptions
  readonly #budget: number
  /**
   * The waiting messages, from `#next` on; and the indexes of bulk among them, from `#nextBulk` on.
   * While only bulk waits, the indexes are not kept. An outbox without waiting messages has no
   * lists.
   */
  #messages: string[] | undefined
  #next = 0
  #bulk: number[] | undefined
  #nextBulk = 0
  #size = 0
  /**
   * Waiting live messages, those of this turn, and those of a turn that began with nothing waiting.
   */
  #live = 0
  #turn = 0
  #spared = 0
  #isFresh = false
  #isScheduled = false
  #isAwaited = false
  /** Set while the reader is behind. */
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

  /** Adds a live message, which is sent whether the reader reads or not, such as a publication. */
  add(message: string): void {
    if (this.#live === 0) this.#noteBulk()
    else if (this.#live > this.#budget && this.#isOver()) return this.overflow()
    this.#push(message)
    this.#turn += message.length
    this.#live += message.length
  }

  /** Adds a message that the client has requested, such as an answer. */
  addBulk(message: string): void {
    this.#push(message)
    if (this.#live === 0 || !this.#messages) return
    this.#bulk ??= []
    this.#bulk.push(this.#messages.length - 1)
  }

  /**
   * Calls back once the operating system has accepted everything added so far; never if the
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

  /**
   * Whether at most this much waits, by default the budget. If not, `ondrained` is called once the
   * reader has caught up.
   */
  hasRoom(limit = this.#budget): boolean {
    if (this.waiting <= limit) return true
    this.flush()
    const hasRoom = this.waiting <= limit
    if (!hasRoom) this.#isAwaited = true
    if (!hasRoom) this.#hearDrain()
    return hasRoom
  }

  /**
   * Whether the connection holds at most its share, and nothing waits here. If not, `ondrained`
   * follows.
   */
  isCaughtUp(): boolean {
    return this.hasRoom(this.#high)
  }

  /** Passes waiting messages to the connection, as far as the reader has read the earlier ones. */
  flush(): void {
    // Messages that are added while it sends belong to the next turn.
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

  /** The turn has ended: sends its messages, as {@link flush} does. */
  endTurn(): void {
    this.#isScheduled = false
    if (this.#isFresh) this.#spared = this.#live
    this.#turn = 0
    this.flush()
    if (this.#live > this.#budget || this.#lag?.overAt !== undefined) this.#noteOver()
  }

  /** Passes all waiting messages to the connection, which is about to be closed. */
  end(): void {
    const size = this.#size
    if (size > 0) this.#connection.send(this.#take(Number.POSITIVE_INFINITY))
    this.#marks?.sent(size)
    this.clear()
  }

  /** Drops all waiting messages: the connection has ended. */
  clear(): void {
    this.#take(Number.POSITIVE_INFINITY)
    this.#marks?.clear()
    this.#options.flusher.unwatch(this)
    this.#lag = undefined
  }

  /** Checks whether the reader reads. @param elapsed milliseconds since the last check */
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
    // Earlier messages are sent already if they are large: smaller ones wait until the turn ends.
    if (this.#size > this.#budget) this.flush()
    if (this.#messages) this.#messages.push(message)
    else this.#messages = [message]
    this.#size += message.length
  }

  /** Only bulk waits, and what follows is not bulk. */
  #noteBulk(): void {
    if (this.#size === 0 || !this.#messages) return
    const start = this.#next
    this.#bulk = Array.from({ length: this.#messages.length - start }, (_, index) => start + index)
    this.#nextBulk = 0
  }

  /** Takes as many messages as fit the limit; a single message may be larger. */
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

  /** Forgets the taken messages, and frees their slots once these are the most. */
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

  /**
   * Makes sure that waiting messages are sent when the network has room. Most readers are never
   * waited for.
   */
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

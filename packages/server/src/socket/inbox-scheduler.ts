import { Turns } from '../runtime/turns.js'

/** The most messages of all waiting inboxes in one turn. */
const MESSAGES_IN_ALL = 256

/** The most messages of one waiting inbox before the next one has its turn. */
const SLICE = 16

/**
 * The most milliseconds of work for all sockets in one turn. After that, every message waits for
 * the next turn.
 */
const WORK_IN_ALL = 16

/**
 * The most UTF-16 code units of long messages of all sockets in one turn. The garbage of their
 * decoding grows with them, and so does a delivery to many readers, which the clock shows too late.
 */
const LONG_IN_ALL = 256 * 1024

/** Sockets that begin in a turn between two readings of the clock. */
const LOOK = 8

/** An inbox with waiting messages. */
export interface WaitingInbox {
  /**
   * Handles up to `count` messages. @returns whether it continues in this turn, in a later one, or
   * not at all
   */
  work(count: number): 'now' | 'later' | 'done'
}

/** The clock and the event loop of an {@link InboxScheduler}; see {@link Turns}. */
export interface EventLoop {
  /** The time in milliseconds, read once in a turn. */
  readonly time: number
  /** The time in milliseconds. */
  now(): number
  /** Runs a task when the turn ends. */
  defer(run: () => void): void
}

/**
 * Divides each event-loop turn among the inboxes of all sockets. An inbox without waiting messages
 * handles a message at once. The others take turns, 16 messages each, so that one socket's flood
 * does not delay another socket's message.
 */
export class InboxScheduler {
  /** The number of the turn. */
  turn = 0
  readonly #loop: EventLoop
  #waiting: WaitingInbox[] = []
  #isArmed = false
  /** How many sockets have begun in this turn. */
  #begun = 0
  /** When this turn's first message was handled. */
  #start = 0
  #isLate = false
  /** Size of the long messages of this turn. */
  #long = 0
  /** Whether a long message was handled since the last reading of the clock. */
  #mustLook = false

  constructor(loop: EventLoop = new Turns()) {
    this.#loop = loop
  }

  /** The time in milliseconds. */
  now(): number {
    return this.#loop.now()
  }

  /**
   * An inbox handles its first message in this turn. @returns false if the turn's time is used up:
   * it has to wait
   */
  begin(): boolean {
    this.#arm()
    if (this.#mustLook || this.#begun % LOOK === 0) this.#look()
    this.#begun += 1
    return !this.#isLate
  }

  /**
   * A long message is about to be handled: the clock is read before the next message of any socket.
   */
  countLong(size: number): void {
    this.#long += size
    if (this.#long >= LONG_IN_ALL) this.#isLate = true
    this.#mustLook = true
  }

  /** Whether the turn's time, or its size of long messages, is used up: every message waits. */
  isOver(): boolean {
    if (this.#mustLook) this.#look()
    return this.#isLate
  }

  /** An inbox has waiting messages. It has its turn after the others. */
  add(inbox: WaitingInbox): void {
    this.#waiting.push(inbox)
    this.#arm()
  }

  #look(): void {
    this.#mustLook = false
    if (this.#begun === 0) this.#start = this.#loop.time
    else this.#isLate ||= this.now() - this.#start >= WORK_IN_ALL
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    this.#loop.defer(this.#run)
  }

  readonly #run = () => {
    this.#isArmed = false
    this.turn += 1
    this.#begun = 0
    this.#isLate = false
    this.#long = 0
    this.#mustLook = false
    if (this.#waiting.length === 0) return
    this.#arm()
    const due = this.#waiting
    const later: WaitingInbox[] = []
    this.#waiting = later
    const end = this.now() + WORK_IN_ALL
    let at = 0
    try {
      for (let left = MESSAGES_IN_ALL; left > 0 && at < due.length; left -= SLICE) {
        const inbox = due[at] as WaitingInbox
        const next = inbox.work(SLICE)
        at += 1
        if (next === 'now') due.push(inbox)
        else if (next === 'later') later.push(inbox)
        if (this.#isLate || this.now() >= end) break
      }
    } finally {
      // Inboxes that had no turn, or whose handler threw, come first in the next turn.
      if (at < due.length) this.#waiting = [...due.slice(at), ...this.#waiting]
    }
  }
}

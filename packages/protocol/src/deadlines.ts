import { startTimer } from './timer.js'

/** Whether a time-out of so many milliseconds is none. */
export function isNever(wait: number): boolean {
  return !wait || !Number.isFinite(wait)
}

/** The keys that were given the same wait: the order in which they were set is the order of their times. */
type Line<Key> = Map<Key, number>

/**
 * Many deadlines with one timer, which does not keep a process alive. The keys of one wait stand in line, as Node's own
 * timers do, so that setting, deleting and expiring cost the same however many there are; what costs is many different
 * waits.
 */
export class Deadlines<Key> {
  readonly #lines = new Map<number, Line<Key>>()
  readonly #lineOf = new Map<Key, Line<Key>>()
  readonly #onexpire: (key: Key) => void
  #stopTimer = () => {}
  #next = Number.POSITIVE_INFINITY

  /** @param onexpire called for each key whose time has come, once */
  constructor(onexpire: (key: Key) => void) {
    this.#onexpire = onexpire
  }

  /** Sets, or moves, a key's deadline. @param wait in milliseconds; 0, `Infinity` and `NaN` mean never */
  set(key: Key, wait: number): void {
    this.delete(key)
    if (isNever(wait)) return
    const line = this.#lines.get(wait) ?? new Map<Key, number>()
    const time = performance.now() + wait
    this.#lines.set(wait, line.set(key, time))
    this.#lineOf.set(key, line)
    if (time < this.#next) this.#arm(time)
  }

  /** Takes a key's deadline away. */
  delete(key: Key): void {
    this.#lineOf.get(key)?.delete(key)
    this.#lineOf.delete(key)
  }

  /** Leaves no timer if no deadline is left. */
  rest(): void {
    if (this.#lineOf.size === 0) this.clear()
  }

  /** Takes all deadlines away. */
  clear(): void {
    this.#lines.clear()
    this.#lineOf.clear()
    this.#stopTimer()
    this.#next = Number.POSITIVE_INFINITY
  }

  #arm(time: number): void {
    this.#stopTimer()
    this.#next = time
    this.#stopTimer = startTimer(Math.ceil(time - performance.now()), () => this.#expire())
  }

  #expire(): void {
    const due = this.#takeDue(performance.now())
    this.#next = Number.POSITIVE_INFINITY
    // Lines that are left are not empty, and their first is their earliest.
    for (const line of this.#lines.values()) {
      const [earliest = this.#next] = line.values()
      this.#next = Math.min(this.#next, earliest)
    }
    if (this.#next !== Number.POSITIVE_INFINITY) this.#arm(this.#next)
    for (const key of due) this.#onexpire(key)
  }

  /** Takes the keys whose time has come, the earliest first, and forgets the lines that nobody stands in. */
  #takeDue(now: number): Key[] {
    const due: [key: Key, time: number][] = []
    for (const [wait, line] of this.#lines) {
      for (const entry of line) {
        if (entry[1] > now) break
        due.push(entry)
        this.delete(entry[0])
      }
      if (line.size === 0) this.#lines.delete(wait)
    }
    return due.sort(([, left], [, right]) => left - right).map(([key]) => key)
  }
}

/** Time-outs of many owners, each a function to call when the time has come. */
export interface Timeouts {
  /** Sets, or moves, a time-out. @param wait in milliseconds; 0, `Infinity` and `NaN` mean never */
  set(expire: () => void, wait: number): void
  /** Takes it away. */
  delete(expire: () => void): void
  /** Leaves no timer if no time-out is left. */
  rest(): void
}

/** One timer for the time-outs of whoever shares them, such as all sockets of a server. */
export function createTimeouts(): Deadlines<() => void> {
  return new Deadlines((expire) => expire())
}

import { startTimeout } from './timeout.js'

/** Whether a time-out of this number of milliseconds is none. */
export function isNever(wait: number): boolean {
  return !wait || !Number.isFinite(wait)
}

/** A key that waits for its time. */
interface ScheduledTimeout<Key> {
  readonly key: Key
  readonly time: number
  /** Counts the calls of `set`: of two with the same time, the earlier call comes first. */
  readonly order: number
  /** Its index in the heap. */
  index: number
}

/**
 * Many deadlines with one timer, which does not keep a process alive. They stand in a binary heap, the earliest first:
 * setting, deleting and expiring one costs the logarithm of their number, whatever the waits are. Where all waits are the
 * same, setting costs the same however many there are. Nothing is kept for a key whose deadline is over or taken away.
 */
export class TimeoutScheduler<Key> {
  readonly #heap: ScheduledTimeout<Key>[] = []
  readonly #byKey = new Map<Key, ScheduledTimeout<Key>>()
  readonly #onexpire: (key: Key) => void
  #stopTimer = () => {}
  #next = Number.POSITIVE_INFINITY
  #lastOrder = 0

  /** @param onexpire called for each key whose time has come, once */
  constructor(onexpire: (key: Key) => void) {
    this.#onexpire = onexpire
  }

  /** How many keys have a deadline. */
  get size(): number {
    return this.#heap.length
  }

  /** Sets, or moves, a key's deadline. @param wait in milliseconds; 0, `Infinity` and `NaN` mean never */
  set(key: Key, wait: number): void {
    this.delete(key)
    if (isNever(wait)) return
    const time = performance.now() + wait
    const deadline = { key, time, order: ++this.#lastOrder, index: this.#heap.length }
    this.#byKey.set(key, deadline)
    this.#heap.push(deadline)
    this.#rise(deadline)
    if (time < this.#next) this.#arm(time)
  }

  /** Takes a key's deadline away. */
  delete(key: Key): void {
    const deadline = this.#byKey.get(key)
    if (!deadline) return
    this.#byKey.delete(key)
    this.#remove(deadline)
  }

  /** Leaves no timer if no deadline is left. */
  disarmIfEmpty(): void {
    if (this.#heap.length === 0) this.clear()
  }

  /** Takes all deadlines away. */
  clear(): void {
    this.#heap.length = 0
    this.#byKey.clear()
    this.#stopTimer()
    this.#next = Number.POSITIVE_INFINITY
  }

  #arm(time: number): void {
    this.#stopTimer()
    this.#next = time
    this.#stopTimer = startTimeout(Math.ceil(time - performance.now()), () => this.#expire())
  }

  #expire(): void {
    const due = this.#takeDue(performance.now())
    this.#next = Number.POSITIVE_INFINITY
    const [earliest] = this.#heap
    if (earliest) this.#arm(earliest.time)
    let told = 0
    try {
      while (told < due.length) this.#onexpire(due[told++] as Key)
    } finally {
      // One whose callback throws loses no other that is due.
      while (told < due.length) this.set(due[told++] as Key, Number.MIN_VALUE)
    }
  }

  /** Takes the keys whose time has come, the earliest first. */
  #takeDue(now: number): Key[] {
    const due: Key[] = []
    for (let [first] = this.#heap; first && first.time <= now; [first] = this.#heap) {
      due.push(first.key)
      this.delete(first.key)
    }
    return due
  }

  /** Fills the gap with the last deadline. */
  #remove(deadline: ScheduledTimeout<Key>): void {
    const last = this.#heap.pop()
    if (!last || last === deadline) return
    this.#place(last, deadline.index)
    this.#rise(last)
    this.#sink(last)
  }

  /** Moves a deadline up to where the one above it is earlier. */
  #rise(deadline: ScheduledTimeout<Key>): void {
    while (deadline.index > 0) {
      const above = this.#heap[(deadline.index - 1) >> 1]
      if (!above || isBefore(above, deadline)) return
      this.#swap(above, deadline)
    }
  }

  /** Moves a deadline down to where those below it are later. */
  #sink(deadline: ScheduledTimeout<Key>): void {
    for (;;) {
      const left = this.#heap[2 * deadline.index + 1]
      const right = this.#heap[2 * deadline.index + 2]
      const earlier = right && left && isBefore(right, left) ? right : left
      if (!earlier || isBefore(deadline, earlier)) return
      this.#swap(deadline, earlier)
    }
  }

  #swap(upper: ScheduledTimeout<Key>, lower: ScheduledTimeout<Key>): void {
    const { index } = upper
    this.#place(upper, lower.index)
    this.#place(lower, index)
  }

  #place(deadline: ScheduledTimeout<Key>, index: number): void {
    deadline.index = index
    this.#heap[index] = deadline
  }
}

function isBefore(one: ScheduledTimeout<unknown>, other: ScheduledTimeout<unknown>): boolean {
  return one.time < other.time || (one.time === other.time && one.order < other.order)
}

/** Time-outs of many owners, each a function to call when the time has come. */
export interface Timeouts {
  /** Sets, or moves, a time-out. @param wait in milliseconds; 0, `Infinity` and `NaN` mean never */
  set(expire: () => void, wait: number): void
  /** Takes it away. */
  delete(expire: () => void): void
  /** Leaves no timer if no time-out is left. */
  disarmIfEmpty(): void
}

/** One timer for the time-outs of all that share it, such as all sockets of a server. */
export function createTimeouts(): TimeoutScheduler<() => void> {
  return new TimeoutScheduler((expire) => expire())
}

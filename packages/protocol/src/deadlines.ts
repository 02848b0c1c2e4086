/** Longest time that `setTimeout` can wait, in milliseconds (a signed 32-bit number). */
const LONGEST_WAIT = 2 ** 31 - 1

/**
 * Many deadlines with one timer. Setting and deleting are cheap; the timer runs for the earliest deadline only and
 * does not keep a process alive.
 */
export class Deadlines<Key> {
  readonly #times = new Map<Key, number>()
  readonly #onexpire: (key: Key) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #next = Number.POSITIVE_INFINITY

  /** @param onexpire called for each key whose time has come, once */
  constructor(onexpire: (key: Key) => void) {
    this.#onexpire = onexpire
  }

  /** Sets, or moves, a key's deadline. @param wait in milliseconds; 0, `Infinity` and `NaN` mean never */
  set(key: Key, wait: number): void {
    if (wait === 0 || wait === Number.POSITIVE_INFINITY || Number.isNaN(wait)) {
      this.delete(key)
      return
    }
    const time = performance.now() + wait
    this.#times.set(key, time)
    if (time < this.#next) this.#arm(time)
  }

  /** Takes a key's deadline away. */
  delete(key: Key): void {
    this.#times.delete(key)
  }

  /** Takes all deadlines away. */
  clear(): void {
    this.#times.clear()
    clearTimeout(this.#timer)
    this.#next = Number.POSITIVE_INFINITY
  }

  #arm(time: number): void {
    clearTimeout(this.#timer)
    this.#next = time
    const wait = Math.ceil(time - performance.now())
    this.#timer = setTimeout(() => this.#expire(), Math.min(wait, LONGEST_WAIT))
    unref(this.#timer)
  }

  #expire(): void {
    const now = performance.now()
    const due = [...this.#times].filter(([, time]) => time <= now).map(([key]) => key)
    this.#next = Number.POSITIVE_INFINITY
    for (const key of due) this.#times.delete(key)
    if (this.#times.size > 0) this.#arm(this.#earliest())
    for (const key of due) this.#onexpire(key)
  }

  #earliest(): number {
    let earliest = Number.POSITIVE_INFINITY
    // Not `Math.min(...)`: a hundred thousand deadlines are more than a call can have arguments.
    for (const time of this.#times.values()) earliest = Math.min(earliest, time)
    return earliest
  }
}

/** Node's timers are objects that can be told not to keep the process alive; a browser's are numbers. */
function unref(timer: unknown): void {
  if (typeof timer === 'object') (timer as { unref(): void }).unref()
}

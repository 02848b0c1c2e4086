/** Time that moves only when a history says so: cheaper than fake timers for thousands of histories. */

interface Timer {
  readonly at: number
  readonly run: () => void
}

const real = { setTimeout, clearTimeout, setImmediate, now: Date.now, random: Math.random }

/** Lets everything run that needs no time. */
export async function settled(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise<void>((done) => real.setImmediate(done))
}

export class ModelClock {
  #now = 1_700_000_000_000
  #lastId = 0
  readonly #timers = new Map<number, Timer>()
  readonly #performanceNow = performance.now

  /** Puts itself in the place of the real time, and a source of random numbers in that of `Math.random`. */
  install(random: () => number): void {
    const set = (run: () => void, wait = 0) => {
      const id = ++this.#lastId
      this.#timers.set(id, { at: this.#now + wait, run })
      const timer = { id, unref: () => timer, ref: () => timer, [Symbol.toPrimitive]: () => id }
      return timer
    }
    const clear = (timer: unknown) => void this.#timers.delete(Number(timer))
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear })
    Date.now = () => Math.floor(this.#now)
    performance.now = () => this.#now
    Math.random = random
  }

  uninstall(): void {
    Object.assign(globalThis, { setTimeout: real.setTimeout, clearTimeout: real.clearTimeout })
    Date.now = real.now
    performance.now = this.#performanceNow
    Math.random = real.random
  }

  /** Resolves after a time of this clock. */
  wait(milliseconds: number): Promise<void> {
    return new Promise((done) => setTimeout(done, milliseconds))
  }

  /** Moves time on, from timer to timer. */
  async pass(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds
    for (let next = this.#next(end); next; next = this.#next(end)) {
      const [id, { at, run }] = next
      this.#timers.delete(id)
      this.#now = Math.max(this.#now, at)
      run()
      await settled(3)
    }
    this.#now = end
  }

  #next(end: number): [number, Timer] | undefined {
    let first: [number, Timer] | undefined
    for (const entry of this.#timers)
      if (entry[1].at <= end && !(first && first[1].at <= entry[1].at)) first = entry
    return first
  }
}

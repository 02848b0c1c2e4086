// Measures what an attack does to the process that it runs in: the longest stall of the event loop, and the memory kept.
import { closeSync, openSync, readSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Milliseconds between two looks at the clock. */
const PERIOD = 1

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

/**
 * CPU time of the main thread in milliseconds. Linux tells it for each thread; elsewhere the time of the whole process
 * stands in, which is never less.
 */
function cpuClock() {
  try {
    const file = openSync('/proc/self/schedstat', 'r')
    const bytes = Buffer.alloc(64)
    const read = () => Number.parseInt(bytes.toString('latin1', 0, readSync(file, bytes, 0, 64, 0)), 10) / 1e6
    if (read() > 0) return read
    closeSync(file)
  } catch {}
  return () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

/** The longest stall, in CPU time of the main thread, between two timers that are due each millisecond. */
export class StallMeter {
  #now = cpuClock()
  #last = this.#now()
  #longest = 0

  constructor() {
    setInterval(() => {
      const now = this.#now()
      this.#longest = Math.max(this.#longest, now - this.#last)
      this.#last = now
    }, PERIOD).unref()
  }

  reset() {
    this.#last = this.#now()
    this.#longest = 0
  }

  /** Milliseconds. */
  get longest() {
    return Math.max(this.#longest, this.#now() - this.#last)
  }
}

/** Bytes that live: of the heap, and outside of it. */
export function liveBytes() {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

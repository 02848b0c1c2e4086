/** How much memory this process needs, with what nobody needs any more taken away. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of JavaScript's objects and of buffers that are in use. */
export function memoryInUse(): number {
  collect()
  // What the first has found to be of no use, the second has given back.
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The most that memory has grown since it was made, of the times that somebody looked. */
export class MemoryGrowth {
  readonly #before = memoryInUse()
  #most = 0

  /** Looks now. */
  look(): void {
    this.#most = Math.max(this.#most, memoryInUse() - this.#before)
  }

  /** Bytes. */
  get most(): number {
    this.look()
    return this.#most
  }
}

/** Bytes. */
export const MB = 1024 * 1024

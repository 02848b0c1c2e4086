/** How much memory this process needs, with what nobody needs any more taken away. */
import { memoryInUse } from '../garbage.js'

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

import { randomBytes } from 'node:crypto'
import { newEpoch } from '@token-socket/server'
import type { RedisClock } from './redis-clock.js'

/** Names what this Redis holds: another name when all was lost. All nodes have the same one, kept in a key. */
export class StoreName {
  readonly #key: string
  readonly #clock: RedisClock
  #name = randomBytes(8).toString('base64url')

  constructor(key: string, clock: RedisClock) {
    this.#key = key
    this.#clock = clock
  }

  /** The epoch of what begins now. */
  newEpoch(): string {
    return newEpoch(this.#name, this.#clock.now())
  }

  /** Looks the name up, and makes one if there is none. A Redis that can't be written to has no new channels either. */
  async learn(send: (...command: string[]) => Promise<unknown>): Promise<void> {
    const get = async () => (await send('GET', this.#key)) as string | null
    const known = await get()
    if (known) this.#name = known
    else {
      const made = randomBytes(8).toString('base64url')
      await send('SET', this.#key, made, 'NX').catch(() => {})
      this.#name = (await get()) ?? made
    }
  }
}

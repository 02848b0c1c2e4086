import { randomBytes } from 'node:crypto'
import { newEpoch, POSITION_TTL } from '@token-socket/server/engine'
import type { RedisClock } from './redis-clock.js'

/**
 * Milliseconds that the name is kept after the last node has read it: longer than any channel keeps
 * its position.
 */
const LIFE = 2 * POSITION_TTL

/** Dependencies of a {@link StoreId}. */
export interface StoreIdOwner {
  /** The key in which it is kept. */
  readonly key: string
  readonly clock: RedisClock
  /**
   * Returns a name of the run of the process that has a key, if a process with less data may
   * replace it; otherwise an empty text.
   */
  runOf(key: string): string
}

/**
 * The name of the data in Redis, which changes if all of it was lost. All nodes have the same name,
 * which is kept in a key.
 */
export class StoreId {
  readonly #owner: StoreIdOwner
  #id = randomName()

  constructor(owner: StoreIdOwner) {
    this.#owner = owner
  }

  /** Returns the epoch of something that begins now. @param key its key */
  newEpoch(key: string): string {
    return newEpoch(this.#id + this.#owner.runOf(key), this.#owner.clock.now())
  }

  /**
   * Reads the name, and creates one if there is none. A Redis that cannot be written to has no new
   * channels either.
   */
  async refresh(send: (...command: string[]) => Promise<unknown>): Promise<void> {
    const { key } = this.#owner
    const get = async () => (await send('GET', key)) as string | null
    const write = (...command: string[]) => send(...command).catch(() => {})
    const known = await get()
    const made = randomName()
    if (known) await write('PEXPIRE', key, String(LIFE))
    else await write('SET', key, made, 'NX', 'PX', String(LIFE))
    this.#id = known ?? (await get()) ?? made
  }
}

function randomName(): string {
  return randomBytes(8).toString('base64url')
}

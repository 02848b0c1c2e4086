import { randomBytes } from 'node:crypto'
import { newEpoch, POSITION_TTL } from '@token-socket/server/engine'
import type { RedisClock } from './redis-clock.js'

/** Milliseconds that the name is kept after the last node has looked: longer than any channel keeps its position. */
const LIFE = 2 * POSITION_TTL

/** What a {@link StoreId} is made of. */
export interface StoreIdOwner {
  /** The key that it is kept in. */
  readonly key: string
  readonly clock: RedisClock
  /** Names the run of the process that has a key, if another may take its place without all that it had; else it is empty. */
  runOf(key: string): string
}

/** Names what Redis holds: another name when all was lost. All nodes have the same one, kept in a key. */
export class StoreId {
  readonly #owner: StoreIdOwner
  #id = randomName()

  constructor(owner: StoreIdOwner) {
    this.#owner = owner
  }

  /** The epoch of what begins now. @param key of what it is about */
  newEpoch(key: string): string {
    return newEpoch(this.#id + this.#owner.runOf(key), this.#owner.clock.now())
  }

  /** Looks the name up, and makes one if there is none. A Redis that can't be written to has no new channels either. */
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

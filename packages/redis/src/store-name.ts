import { randomBytes } from 'node:crypto'
import { newEpoch, POSITION_TTL } from '@token-socket/server'
import type { RedisClock } from './redis-clock.js'

/** Milliseconds that the name is kept after the last node has looked: longer than any channel keeps its position. */
const LIFE = 2 * POSITION_TTL

/** Names what this Redis holds: another name when all was lost. All nodes have the same one, kept in a key. */
export class StoreName {
  readonly #key: string
  readonly #clock: RedisClock
  #name = randomName()

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
    const write = (...command: string[]) => send(...command).catch(() => {})
    const known = await get()
    const made = randomName()
    if (known) await write('PEXPIRE', this.#key, String(LIFE))
    else await write('SET', this.#key, made, 'NX', 'PX', String(LIFE))
    this.#name = known ?? (await get()) ?? made
  }
}

function randomName(): string {
  return randomBytes(8).toString('base64url')
}

import type { HealthMonitor } from '@token-socket/server/engine'
import { refusalOf } from './connection/refusals.js'

/** Milliseconds that what it writes is kept. */
const LIFE = '60000'

/**
 * Finds out whether Redis takes what is written to it: one that is a replica, or has no memory left, answers and is of no
 * use. What other operations hear counts too.
 */
export class WriteProbe {
  readonly #key: string
  readonly #health: HealthMonitor

  constructor(key: string, health: HealthMonitor) {
    this.#key = key
    this.#health = health
  }

  /** Something failed. */
  report(cause: unknown): void {
    const word = refusalOf(cause)
    if (word !== undefined) this.#health.set('writes', `Redis refuses what is written: ${word}`)
  }

  /** Writes something. */
  async check(send: (...command: string[]) => Promise<unknown>): Promise<void> {
    await send('SET', this.#key, '1', 'PX', LIFE).then(
      () => this.#health.set('writes', undefined),
      (error: Error) => this.report(error.cause ?? error),
    )
  }
}

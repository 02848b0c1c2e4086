import type { HealthMonitor } from '@token-socket/server/engine'
import { refusalOf } from './connection/refusals.js'

/** Milliseconds for which a test value is kept. */
const LIFE = '60000'

/**
 * Checks whether Redis accepts writes. A replica, or a Redis without memory, answers but cannot be
 * used. Failures of other operations count too.
 */
export class WriteProbe {
  readonly #key: string
  readonly #health: HealthMonitor

  constructor(key: string, health: HealthMonitor) {
    this.#key = key
    this.#health = health
  }

  /** An operation failed. */
  report(cause: unknown): void {
    const word = refusalOf(cause)
    if (word !== undefined) this.#health.set('writes', `Redis refuses what is written: ${word}`)
  }

  /** Writes a test value. */
  async check(send: (...command: string[]) => Promise<unknown>): Promise<void> {
    await send('SET', this.#key, '1', 'PX', LIFE).then(
      () => this.#health.set('writes', undefined),
      (error: Error) => this.report(error.cause ?? error),
    )
  }
}

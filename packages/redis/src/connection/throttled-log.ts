import type { Logger } from '@token-socket/server/engine'

/** Milliseconds in which the same warning is logged once. */
const PAUSE = 10_000

/** Logs warnings that may occur any number of times: each kind at intervals, with a count. */
export class ThrottledLog {
  readonly #logger: Pick<Logger, 'warn'>
  readonly #told = new Map<string, { at: number; since: number }>()

  constructor(logger: Pick<Logger, 'warn'>) {
    this.#logger = logger
  }

  /** @param message the kind: one of few */
  warn(message: string, details: object): void {
    const told = this.#told.get(message) ?? { at: Number.NEGATIVE_INFINITY, since: 0 }
    this.#told.set(message, told)
    const now = performance.now()
    told.since += 1
    if (now - told.at < PAUSE) return
    this.#logger.warn({ ...details, ...(told.since > 1 && { times: told.since }) }, message)
    told.at = now
    told.since = 0
  }
}

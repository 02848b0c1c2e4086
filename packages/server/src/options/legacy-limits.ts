import type { Limits } from './limits.js'

/**
 * The limits that replace the defaults with the option `legacy`: applications of the legacy pair
 * are not likely to reach them. They are finite, since otherwise a single client could use up the
 * memory of the process. Reading a message costs in proportion to its size: one costs at most a few
 * times what it may cost by default.
 */
export const LEGACY_LIMITS = {
  message: 4 * 1024 * 1024,
  publication: 4 * 1024 * 1024,
  callTimeout: 3_600_000,
  callsIn: 100_000,
  callsOut: 100_000,
  callBytes: 64 * 1024 * 1024,
  answers: 64 * 1024 * 1024,
  outbox: 16 * 1024 * 1024,
  rate: 100_000,
  publicationRate: 100_000,
  publicationBytes: 64 * 1024 * 1024,
  broadcastRate: 10_000,
  subscriptions: 100_000,
} as const satisfies Partial<Limits>

/** The engines' promises about idempotency keys. */
export const IDEMPOTENCY = {
  /** Milliseconds for which a key is remembered. */
  ttl: 300_000,
  /**
   * The most keys of one owner. Beyond it the oldest of that owner is forgotten, and no other
   * owner's.
   */
  keysPerOwner: 1000,
} as const

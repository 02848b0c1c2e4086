/** What engines promise about idempotency keys. */
export const IDEMPOTENCY = {
  /** Milliseconds for which a key is known. */
  ttl: 300_000,
  /** Keys that are known of one owner; over it the oldest of that owner is forgotten, and no other owner's. */
  keysPerOwner: 1000,
} as const

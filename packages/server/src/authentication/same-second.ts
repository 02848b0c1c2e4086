/** Milliseconds that the signer's clock may be behind. */
const MARGIN = 50

/**
 * Waits until the second in which a token was signed is over. `iat` has whole seconds: an order in
 * the same second revokes all tokens of that second, however often a client requests one. A token
 * of the next second is valid.
 * @param iat seconds since 1970; does not wait for anything but a number
 */
export function secondIsOver(iat: unknown): Promise<void> {
  const left = Number.isInteger(iat) ? Number(iat) * 1000 + 1000 - Date.now() : 0
  if (!(left > 0 && left <= 1000)) return Promise.resolve()
  return new Promise((resolve) => setTimeout(resolve, left + MARGIN).unref())
}

/** Milliseconds that the clock of the one that signs may be behind. */
const MARGIN = 50

/**
 * Waits until the second in which a token was signed is over, if it is the present one. `iat` has
 * whole seconds: another token of this second would be taken for one of before an order, however
 * often a client asks. The next one is not.
 * @param iat seconds since 1970; anything else is not waited for
 */
export function secondIsOver(iat: unknown): Promise<void> {
  const left = Number.isInteger(iat) ? Number(iat) * 1000 + 1000 - Date.now() : 0
  if (!(left > 0 && left <= 1000)) return Promise.resolve()
  return new Promise((resolve) => setTimeout(resolve, left + MARGIN).unref())
}

/**
 * Returns when something ends, in milliseconds of `performance.now()`, so that later jumps of the
 * clock do not move it.
 * @param exp seconds since 1970
 * @returns `undefined` for never
 */
export function endAt(exp: number): number | undefined {
  return endIn(exp * 1000 - Date.now())
}

/** Returns the same for something that ends after a number of milliseconds. */
export function endIn(ttl: number | undefined): number | undefined {
  return ttl === undefined || ttl === Number.POSITIVE_INFINITY ? undefined : performance.now() + ttl
}

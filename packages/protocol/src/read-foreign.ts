/**
 * Reads something of a value that an application threw, which may be anything: a getter or a proxy can throw in its turn.
 * @returns `undefined` if reading it throws
 */
export function readForeign<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

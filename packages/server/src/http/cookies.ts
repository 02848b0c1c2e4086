/**
 * Returns the value of a cookie in a request's `Cookie` header, unchanged; the first one, if there
 * are several.
 * @returns `undefined` if the header does not contain it
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at >= 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

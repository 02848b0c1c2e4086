/**
 * Encodes nested data as URL parameters, as the legacy client did: `{ a: { b: "c" }, d: [1] }` is
 * `a[b]=c&d[0]=1`, with the brackets percent-encoded. Empty strings, `null` and `undefined` are
 * left out.
 */
export function formEncode(data: Readonly<Record<string, unknown>>): string {
  return pairs(data, (key) => key).join('&')
}

function pairs(data: object, nameOf: (key: string) => string): string[] {
  return Object.entries(data).flatMap(([key, value]: [string, unknown]) => {
    const name = nameOf(key)
    const plain = value instanceof Date ? value.toISOString() : value
    if (plain === '' || plain === null || plain === undefined) return []
    if (typeof plain === 'object') return pairs(plain, (inner) => `${name}[${inner}]`)
    return [`${encodeURIComponent(name)}=${encodeURIComponent(String(plain))}`]
  })
}

/** Appends encoded parameters to a URL. Without parameters the URL stays as it is. */
export function withQuery(url: string, query: string): string {
  return query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
}

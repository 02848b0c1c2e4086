/**
 * Nested data as URL parameters, the way the azuqua client wrote them: `{ a: { b: "c" }, d: [1] }` is
 * `a[b]=c&d[0]=1`, with the brackets percent-encoded. Empty strings, `null` and `undefined` are left out.
 */
export function formEncode(data: Readonly<Record<string, unknown>>): string {
  return pairs(data, (key) => key).join('&')
}

function pairs(data: object, nameOf: (key: string) => string): string[] {
  return Object.entries(data).flatMap(([key, value]: [string, unknown]) => {
    const name = nameOf(key)
    if (value === '' || value === null || value === undefined) return []
    if (value instanceof Date) return [pair(name, value.toISOString())]
    if (typeof value === 'object') return pairs(value, (inner) => `${name}[${inner}]`)
    return [pair(name, String(value))]
  })
}

function pair(name: string, value: string): string {
  return `${encodeURIComponent(name)}=${encodeURIComponent(value)}`
}

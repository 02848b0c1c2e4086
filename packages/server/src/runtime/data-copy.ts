/**
 * Copies data that came as JSON, several times faster than `structuredClone`. What JSON does not
 * make, such as a Map that a middleware put there, is copied by `structuredClone`.
 * @throws Error if something in it has no copies, or it is nested too deeply or in a circle
 */
export function copyData<Data>(data: Data): Data
export function copyData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return isScalar(data) ? data : structuredClone(data)
  if (Array.isArray(data)) return data.map(copyData)
  return Object.getPrototypeOf(data) === Object.prototype ? copyObject(data) : structuredClone(data)
}

function copyObject(data: object): object {
  // Keeps a `__proto__` of its own, which the assignment below then replaces.
  const copy: Record<string, unknown> = { ...data }
  for (const key of Object.keys(copy)) {
    const value = copy[key]
    if (!isScalar(value)) copy[key] = copyData(value)
  }
  return copy
}

function isScalar(value: unknown): boolean {
  return (
    value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')
  )
}

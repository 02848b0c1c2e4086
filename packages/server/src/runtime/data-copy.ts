/**
 * Copies data that was decoded from JSON, several times faster than `structuredClone`. Other
 * values, such as a Map that a middleware added, are copied by `structuredClone`.
 * @throws Error if a value cannot be copied, or is nested too deeply or circular
 */
export function copyData<Data>(data: Data): Data
export function copyData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return isScalar(data) ? data : structuredClone(data)
  if (Array.isArray(data)) return data.map(copyData)
  return Object.getPrototypeOf(data) === Object.prototype ? copyObject(data) : structuredClone(data)
}

function copyObject(data: object): object {
  // Keeps an own `__proto__` field, which the assignment below replaces.
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

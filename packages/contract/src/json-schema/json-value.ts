/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/**
 * Whether a value is an object as JSON has it: no list, and nothing that travels as something else,
 * such as a `Date`.
 */
export function isObject(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !('toJSON' in value && typeof value.toJSON === 'function')
}

/** Whether a property is there and travels. Inherited names are not. */
export function has(value: JsonObject, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined
}

/**
 * What a JSON pointer leads to, or `undefined`. @param pointer such as `#/definitions/Item`
 * @throws URIError for a pointer with a wrong escape
 */
export function pointedAt(root: unknown, pointer: string): unknown {
  return pointerParts(pointer).reduce(
    (target, key) => (Object.hasOwn(Object(target), key) ? Reflect.get(Object(target), key) : undefined),
    root,
  )
}

/** The keys of a JSON pointer. @throws URIError for a pointer with a wrong escape */
export function pointerParts(pointer: string): readonly string[] {
  const parts = pointer.split('/').slice(1)
  return parts.map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
}

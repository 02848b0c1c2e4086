/**
 * A map that all copies of this package in the process have in common: an application may load it
 * as a module and by `require`, or in two installations. Each copy sees then what the others have
 * taken.
 * @param name names the map and the shape of its values: another shape needs another name
 */
export function processWide<Key extends object, Value>(name: string): WeakMap<Key, Value> {
  const key = Symbol.for(`@token-socket/server ${name}`)
  const known = Object.getOwnPropertyDescriptor(globalThis, key)?.value as WeakMap<Key, Value> | undefined
  if (known) return known
  const map = new WeakMap<Key, Value>()
  Object.defineProperty(globalThis, key, { value: map })
  return map
}

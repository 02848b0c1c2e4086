/**
 * Returns a map that all copies of this package in the process share. An application may load it as
 * a module and by `require`, or in two installations. So each copy sees what the others have
 * registered.
 * @param name of the map and of the shape of its values: another shape needs another name
 */
export function processWide<Key extends object, Value>(name: string): WeakMap<Key, Value> {
  const key = Symbol.for(`@token-socket/server ${name}`)
  const known = Object.getOwnPropertyDescriptor(globalThis, key)?.value as WeakMap<Key, Value> | undefined
  if (known) return known
  const map = new WeakMap<Key, Value>()
  Object.defineProperty(globalThis, key, { value: map })
  return map
}

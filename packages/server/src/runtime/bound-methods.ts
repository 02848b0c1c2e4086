/** Binds the public methods of an object to it, so that `const { count } = cluster` works. @param prototype its class's */
export function bindMethods(object: object, prototype: object): void {
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (name === 'constructor' || typeof value !== 'function') continue
    Object.defineProperty(object, name, { value: value.bind(object), configurable: true, writable: true })
  }
}

/** Puts values in the place of globals, as in a browser, and puts back what was there. */

const before = new Map<string, PropertyDescriptor | undefined>()

/** Sets a global until {@link restoreGlobals}. */
export function setGlobal(name: string, value: unknown): void {
  if (!before.has(name)) before.set(name, Object.getOwnPropertyDescriptor(globalThis, name))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
}

/** Undoes every {@link setGlobal}. */
export function restoreGlobals(): void {
  for (const [name, descriptor] of before) {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    else Reflect.deleteProperty(globalThis, name)
  }
  before.clear()
}

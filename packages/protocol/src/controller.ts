/**
 * Trees of functions, called by dotted name: the server's controller, the client's actions.
 */

/**
 * A function that the peer can call. (A method's type, so that functions may narrow their
 * parameters.)
 */
export type Action = { call(...args: unknown[]): unknown }['call']

/**
 * Marks a function of a server's controller: its data is `undefined` if its caller passed none. Any
 * other function gets `{}`, as in the legacy pair.
 */
export const KEEPS_UNDEFINED = /* @__PURE__ */ Symbol.for('@token-socket/keepsUndefined')

/** A nested tree of functions. It may be changed at any time; running calls continue. */
export interface Controller {
  readonly [name: string]: Action | Controller
}

/**
 * Returns the function of a dotted name, or `undefined`. Only own properties count, so that no name
 * reaches inherited ones (`toString`, `constructor`, `__proto__`), and properties of functions do
 * not count. An instance of a class may be the controller or a part of it. Instances inside another
 * instance are not searched: a controller exposes no function of its database or HTTP client.
 */
export function findAction(controller: Controller, name: string): Action | undefined {
  const found = name.includes('.') ? walk(controller, name.split('.')) : own(controller, name)
  return typeof found === 'function' ? (found as Action) : undefined
}

function own(object: unknown, name: string): unknown {
  const isOwn = typeof object === 'object' && object !== null && Object.hasOwn(object, name)
  return isOwn ? (object as Controller)[name] : undefined
}

function walk(controller: Controller, path: readonly string[]): unknown {
  let found: unknown = controller
  let isInInstance = false
  for (const part of path) {
    if (typeof found !== 'object' || found === null) return undefined
    if (!isPlain(found)) {
      if (isInInstance) return undefined
      isInInstance = true
    }
    found = own(found, part)
  }
  return found
}

/**
 * Whether an object is a list or has no class, also one of another realm or a module: it has no
 * prototype, or its prototype has none.
 */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

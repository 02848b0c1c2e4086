/**
 * Trees of functions, called by dotted name: the server's controller, the client's actions.
 */

/** A function that the other side can call. (A method's type, so that functions may narrow their parameters.) */
export type Action = { call(...args: unknown[]): unknown }['call']

/**
 * Marks a function of a server's controller whose data is `undefined` where its caller passed none.
 * Any other function gets `{}` then, as in the legacy pair.
 */
export const KEEPS_UNDEFINED = /* @__PURE__ */ Symbol.for('@token-socket/keepsUndefined')

/** A nested tree of functions. It may be changed at any time; calls that run already go on. */
export interface Controller {
  readonly [name: string]: Action | Controller
}

/**
 * The function that a dotted name stands for, or `undefined`. Looks at own properties only, so that no name reaches
 * what an object inherits (`toString`, `constructor`, `__proto__`), and never into a function's properties. An instance of
 * a class may be the controller or a part of it, but is not looked into as a field of another instance: a controller that
 * holds its database or HTTP client exposes none of their functions.
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

/** Whether an object is a list or of no class, also of another realm or a module: its prototype is none, or has none. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

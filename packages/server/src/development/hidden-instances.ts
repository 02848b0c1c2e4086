import { controllerFields, hasFunctions, isInstance } from '../runtime/controller-fields.js'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'

/** The most paths that are named. */
const PATHS = 20

const MESSAGE =
  'clients cannot call the functions of an instance inside another; copy those that they may call to a plain object'

/**
 * Warns of the parts of a controller whose functions clients cannot call, although it may seem so:
 * instances of classes in the fields of other instances. Getters are not called. A very large
 * controller is not searched completely, see {@link controllerFields}.
 */
export function warnOfHiddenInstances(logger: Pick<Logger, 'warn'>, controller: object): void {
  for (const path of hiddenPaths(controller))
    logger.warn({ option: 'socketController', path: shorten(path) }, MESSAGE)
}

function hiddenPaths(controller: object): string[] {
  const paths = new Map<object, string>()
  for (const { path, value, isInInstance } of controllerFields(controller)) {
    if (!isInInstance || typeof value === 'function' || !isInstance(value) || paths.has(value)) continue
    if (hasFunctions(value)) paths.set(value, path.join('.'))
    if (paths.size >= PATHS) break
  }
  return [...paths.values()]
}

import type { Controller } from '@token-socket/protocol'
import { controllerFields } from '../runtime/controller-fields.js'

/**
 * The dotted names of the functions that clients can call in a tree, as `findAction` finds them: own properties, and an instance
 * inside another one is not looked into. Those near the root come first; of a very large tree some are left out, see
 * {@link controllerFields}. Getters are not called.
 */
export function* actionNames(tree: Controller): Generator<string> {
  // An application may put anything in the place of its controller, `null` too.
  for (const { path, value } of controllerFields(Object(tree)))
    if (typeof value === 'function') yield path.join('.')
}

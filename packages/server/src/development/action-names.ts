import type { Controller } from '@token-socket/protocol'
import { controllerFields } from '../runtime/controller-fields.js'

/**
 * Returns the dotted names of the functions that clients can call in a tree, as `findAction` finds
 * them: own properties, without instances inside another instance. Names near the root come first;
 * of a very large tree some are left out, see {@link controllerFields}. Getters are not called.
 */
export function* actionNames(tree: Controller): Generator<string> {
  // An application may replace its controller by anything, also by `null`.
  for (const { path, value } of controllerFields(Object(tree)))
    if (typeof value === 'function') yield path.join('.')
}

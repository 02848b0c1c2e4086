import { type Controller, isPlain } from '@token-socket/protocol'

/** Objects inside one another that are looked into. */
const DEPTH = 10

/**
 * The dotted names of the functions that clients can call in a tree, as `findAction` finds them: own properties, and an instance
 * inside another one is not looked into. Getters are not called.
 */
export function actionNames(tree: Controller): Generator<string> {
  // An application may put anything in the place of its controller, `null` too.
  return namesIn(Object(tree), { path: '', depth: 0, isInInstance: false, above: [] })
}

interface Place {
  /** What goes before the names, with its dot. */
  readonly path: string
  readonly depth: number
  readonly isInInstance: boolean
  /** The objects that this one is inside of: a tree may be circular. */
  readonly above: readonly object[]
}

function* namesIn(object: object, { path, depth, isInInstance, above }: Place): Generator<string> {
  if (depth > DEPTH || above.includes(object)) return
  if (isInInstance && !isPlain(object)) return
  const place = {
    depth: depth + 1,
    isInInstance: isInInstance || !isPlain(object),
    above: [...above, object],
  }
  for (const name of Object.keys(object)) {
    const value: unknown = Object.getOwnPropertyDescriptor(object, name)?.value
    if (typeof value === 'function') yield path + name
    else if (typeof value === 'object' && value !== null)
      yield* namesIn(value, { ...place, path: `${path}${name}.` })
  }
}

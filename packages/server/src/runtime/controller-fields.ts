import { isPlain, readForeign } from '@token-socket/protocol'

/**
 * The most that one walk visits. Applications put tables, caches and database clients beside their
 * functions.
 */
const LIMITS = { depth: 10, objects: 1000, fields: 10_000 } as const

/** A function or an object in a controller, at any depth. */
export interface ControllerField {
  /** The names that lead to it. */
  readonly path: readonly string[]
  readonly value: object
  /** Whether it is inside an instance of a class: clients cannot call another instance there. */
  readonly isInInstance: boolean
}

/** An object whose fields are still to be visited. */
interface Branch extends Omit<ControllerField, 'isInInstance'> {
  readonly isInInstance: boolean
  readonly above: Branch | undefined
}

/**
 * Objects with more fields than a walk visits. They are data, and listing their names takes long.
 */
const large = new WeakSet<object>()

/**
 * Walks through the functions and objects that clients can call, level by level, so that those near
 * the root come first. An instance inside another one is listed, but not entered. The walk visits
 * 1,000 objects, 10,000 fields and 10 levels, calls no getter, and never throws, whatever an
 * application keeps in its controller.
 */
export function* controllerFields(tree: object): Generator<ControllerField> {
  const queue: Branch[] = [{ path: [], value: tree, isInInstance: isInstance(tree), above: undefined }]
  let left: number = LIMITS.fields
  for (let next = 0; next < Math.min(queue.length, LIMITS.objects) && left > 0; next += 1) {
    const branch = queue[next] as Branch
    for (const [name, value] of fieldsOf(branch.value, left)) {
      left -= 1
      if (!isObject(value)) continue
      const field = { path: [...branch.path, name], value, isInInstance: branch.isInInstance }
      yield field
      if (queue.length < LIMITS.objects && isWalked(field, branch))
        queue.push({ ...field, isInInstance: field.isInInstance || isInstance(value), above: branch })
    }
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

/**
 * Whether an object is an instance of a class. An object that cannot be examined, such as a proxy
 * that throws, counts as one.
 */
export function isInstance(object: object): boolean {
  return readForeign(() => !isPlain(object)) ?? true
}

function isWalked({ path, value, isInInstance }: ControllerField, branch: Branch): boolean {
  if (typeof value === 'function' || path.length > LIMITS.depth) return false
  if (isInInstance && isInstance(value)) return false
  // A tree may contain itself.
  for (let one: Branch | undefined = branch; one; one = one.above) if (one.value === value) return false
  return true
}

/**
 * Returns the names and values of an object's own fields, without getters. @param limit how many at
 * most
 */
function* fieldsOf(object: object, limit: number): Generator<readonly [name: string, value: unknown]> {
  for (const name of namesOf(object).slice(0, limit)) yield [name, fieldOf(object, name)]
}

function namesOf(object: object): readonly string[] {
  // Byte arrays have a name for each byte.
  if (ArrayBuffer.isView(object) || large.has(object)) return []
  try {
    const isLong = Array.isArray(object) && object.length > LIMITS.fields
    const names = isLong ? [] : Object.getOwnPropertyNames(object)
    if (names.length <= LIMITS.fields) return names
    large.add(object)
  } catch {
    // A proxy of the application may throw at any access.
  }
  return []
}

function fieldOf(object: object, name: string): unknown {
  return readForeign(() => Object.getOwnPropertyDescriptor(object, name)?.value)
}

/** Whether an object has a function among its fields. Getters are not called. */
export function hasFunctions(object: object): boolean {
  return namesOf(object).some((name) => typeof fieldOf(object, name) === 'function')
}

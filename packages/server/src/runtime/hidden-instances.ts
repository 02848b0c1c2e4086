import { isPlain } from '@token-socket/protocol'
import type { Logger } from '../logger.js'
import { shorten } from './shorten.js'

/** Paths that are named at most. */
const PATHS = 20

const MESSAGE =
  'clients cannot call the functions of an instance inside another; copy those that they may call to a plain object'

/**
 * Warns of the parts of a controller whose functions clients cannot call, though they look as if: instances of classes in
 * the fields of other instances. Getters are not called.
 */
export function warnOfHiddenInstances(logger: Pick<Logger, 'warn'>, controller: object): void {
  const paths: string[] = []
  walk(controller, { path: [], isInInstance: false, seen: new Set([controller]), paths })
  for (const path of paths) logger.warn({ option: 'socketController', path: shorten(path) }, MESSAGE)
}

interface Place {
  readonly path: readonly string[]
  readonly isInInstance: boolean
  readonly seen: Set<object>
  readonly paths: string[]
}

function walk(object: object, place: Place): void {
  const isInInstance = place.isInInstance || !isPlain(object)
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
    if (typeof value !== 'object' || value === null || place.seen.has(value)) continue
    const path = [...place.path, name]
    if (isInInstance && !isPlain(value)) note(value, path, place)
    else walk(value, { ...place, path, isInInstance, seen: place.seen.add(value) })
  }
}

function note(instance: object, path: readonly string[], { paths }: Place): void {
  const fields = Object.values(Object.getOwnPropertyDescriptors(instance))
  const hasFunctions = fields.some(({ value }) => typeof value === 'function')
  if (hasFunctions && paths.length < PATHS) paths.push(path.join('.'))
}

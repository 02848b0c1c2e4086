import { encodePointer, isObject, type JsonObject } from './document.js'
import { ModelError } from './model-error.js'

const MERGE = '<<'

/** How many keys all merges of a document may add. Few lines of YAML can ask for many. */
const MAX_MERGED = 500_000

/**
 * Carries out the merge keys of YAML (`<<: *base`): the keys of the other objects come first, own
 * keys take their place. The libraries that read YAML leave them as keys of that name, in the
 * schema that makes no objects of a program.
 *
 * @throws ModelError for a merge key with anything but objects, and for what has no form in JSON
 */
export function mergeKeys(document: unknown, text: string): unknown {
  if (/["']<<["']\s*:/.test(text))
    throw new ModelError('#', 'a key << in quotes can’t be told from a merge key')
  return new Merger().merge(document, '#')
}

class Merger {
  /** Aliases lead to the same object, which stays the same one. */
  readonly #merged = new Map<object, unknown>()
  #count = 0

  merge(value: unknown, pointer: string): unknown {
    if (typeof value !== 'object' || value === null) return value
    if (this.#merged.has(value)) return this.#merged.get(value)
    if (Array.isArray(value)) {
      const list: unknown[] = []
      this.#merged.set(value, list)
      value.forEach((item, index) => {
        list.push(this.merge(item, `${pointer}/${index}`))
      })
      return list
    }
    return this.#mergeObject(value as JsonObject, pointer)
  }

  #mergeObject(value: JsonObject, pointer: string): unknown {
    const result: Record<string, unknown> = {}
    this.#merged.set(value, result)
    if (Object.hasOwn(value, MERGE)) this.#addSources(result, value[MERGE], pointer)
    for (const [key, child] of Object.entries(value)) {
      if (key === '[object Object]') throw new ModelError(pointer, 'a key of YAML has to be a text')
      if (key !== MERGE) define(result, key, this.merge(child, `${pointer}/${encodePointer(key)}`))
    }
    return result
  }

  #addSources(result: Record<string, unknown>, merged: unknown, pointer: string): void {
    const sources = Array.isArray(merged) ? merged : [merged]
    // The first source of a list goes before the others.
    for (const source of sources.toReversed()) {
      if (!isObject(source))
        throw new ModelError(pointer, 'its merge key << has to have an object, or a list of them')
      for (const [key, child] of Object.entries(Object(this.merge(source, `${pointer}/${MERGE}`)))) {
        this.#count += 1
        if (this.#count > MAX_MERGED)
          throw new ModelError('#', `its merge keys add more than ${MAX_MERGED} keys`)
        define(result, key, child)
      }
    }
  }
}

/** Also a key such as `__proto__` becomes an own one, so that it is refused later. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

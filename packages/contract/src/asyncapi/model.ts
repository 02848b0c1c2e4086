import { decodePointer, encodePointer, isObject, type JsonObject } from './document.js'
import { fromJson, quote, toJson } from './json-text.js'
import { ModelError } from './model-error.js'
import { checkTree } from './model-tree.js'

/** A part of a model, and where it stands. */
export interface Place {
  readonly value: JsonObject
  /** The JSON pointer, such as `#/channels/orders`. */
  readonly pointer: string
}

const MAX_REFERENCES = 50

/** A document whose parts are found by their pointers. It reads nothing but the document. */
export class Model {
  readonly root: Place

  /**
   * @throws ModelError for what is no JSON object, is cyclic, too deep or too large, or has a key
   *   `__proto__`
   */
  constructor(document: unknown) {
    if (!isObject(document)) throw new ModelError('#', 'it has to be an object')
    checkTree(document)
    this.root = { value: plainCopy(document), pointer: '#' }
  }

  /**
   * The object at a key of a part, its references followed.
   * @throws ModelError where there is none
   */
  child(parent: Place, key: string): Place {
    const found = this.optionalChild(parent, key)
    if (!found) throw new ModelError(parent.pointer, `it has no ${key}`)
    return found
  }

  /**
   * The object at a key of a part, its references followed, or `undefined`.
   * @throws ModelError for what is no object
   */
  optionalChild({ value, pointer }: Place, key: string): Place | undefined {
    if (!Object.hasOwn(value, key) || value[key] === undefined) return undefined
    return this.follow(value[key], `${pointer}/${encodePointer(key)}`)
  }

  /** The objects of a map or list at a key, in order, their references followed. */
  children(parent: Place, key: string): readonly (Place & { readonly key: string })[] {
    if (!Object.hasOwn(parent.value, key)) return []
    const pointer = `${parent.pointer}/${encodePointer(key)}`
    const container = Array.isArray(parent.value[key])
      ? Object.entries(parent.value[key])
      : Object.entries(this.follow(parent.value[key], pointer).value)
    return container.map(([name, value]) => ({
      key: name,
      ...this.follow(value, `${pointer}/${encodePointer(name)}`),
    }))
  }

  /** @throws ModelError for references that lead out of the document, nowhere, or in a circle */
  follow(value: unknown, pointer: string): Place {
    let place = { value, pointer }
    for (let count = 0; isObject(place.value) && Object.hasOwn(place.value, '$ref'); count += 1) {
      if (count === MAX_REFERENCES) throw new ModelError(pointer, 'its $ref leads in a circle')
      place = this.#target(place.value.$ref, place.pointer)
    }
    if (!isObject(place.value)) throw new ModelError(place.pointer, 'it has to be an object')
    return { value: place.value, pointer: place.pointer }
  }

  #target(ref: unknown, pointer: string): { readonly value: unknown; readonly pointer: string } {
    if (typeof ref !== 'string') throw new ModelError(pointer, 'its $ref has to be a text')
    if (!/^#(\/|$)/.test(ref)) {
      throw new ModelError(
        pointer,
        `its $ref leads out of the document: ${quote(ref)}. Bundle the model first`,
      )
    }
    let value: unknown = this.root.value
    for (const part of ref.split('/').slice(1)) {
      const key = decodePointer(decodePercent(part))
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) {
        throw new ModelError(pointer, `its $ref leads nowhere: ${quote(ref)}`)
      }
      value = Reflect.get(value, key)
    }
    return { value, pointer: ref }
  }
}

function decodePercent(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/**
 * The document as JSON has it: without holes in lists, functions and what else only objects of a
 * program have.
 */
function plainCopy(document: JsonObject): JsonObject {
  try {
    return fromJson(toJson(document)) as JsonObject
  } catch (error) {
    throw new ModelError('#', `it is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

import { decodePointer, encodePointer, isObject, type JsonObject } from './document.js'
import { fromJson, quote, toJson } from './json-text.js'
import { ModelError } from './model-error.js'

/** A part of a model, and where it stands. */
export interface Place {
  readonly value: JsonObject
  /** The JSON pointer, such as `#/channels/orders`. */
  readonly pointer: string
}

const MAX_NODES = 500_000
const MAX_DEPTH = 100
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

/** YAML can make objects that contain themselves, and few lines of it many objects. */
function checkTree(document: JsonObject): void {
  let count = 0
  const path: object[] = []
  const visit = (value: unknown, pointer: string): void => {
    if (typeof value === 'string') checkText(value, pointer)
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new ModelError(pointer, `JSON has no number ${value}`)
    if (typeof value !== 'object' || value === null) return
    count += 1
    if (count > MAX_NODES) throw new ModelError('#', `it has more than ${MAX_NODES} objects and lists`)
    if (path.includes(value)) throw new ModelError(pointer, 'it contains itself')
    if (path.length === MAX_DEPTH)
      throw new ModelError(pointer, `it is nested more than ${MAX_DEPTH} levels deep`)
    path.push(value)
    for (const [key, child] of Object.entries(value)) {
      if (key === '__proto__') throw new ModelError(pointer, 'the name __proto__ can’t be used')
      checkText(key, pointer)
      visit(child, `${pointer}/${encodePointer(key)}`)
    }
    path.pop()
  }
  visit(document, '#')
}

/** Half of a pair of UTF-16 has no form in UTF-8, in which the contract is written. */
function checkText(text: string, pointer: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new ModelError(pointer, `a text is no Unicode: ${quote(text)}`)
}

import { asciiText } from './ascii-text.js'
import { isObject, type JsonObject, UniqueNames } from './document.js'
import type { Model } from './model.js'
import { ModelError } from './model-error.js'
import { SchemaCleaner } from './schema-cleaner.js'

/** A payload of the generated contract. */
export interface Payload {
  /** The name of its type. */
  readonly type: string
  /** Whether it may be left out. */
  readonly optional: boolean
}

/** A schema of the generated contract. */
export interface Definition {
  /** The cleaned schema. */
  readonly schema: JsonObject
  /** Where it stands in the model. */
  readonly pointer: string
}

/** Names of the generated file. */
const RESERVED = ['Payloads', 'Schema']

/** Gives each payload of a model, and each schema that one refers to, the name of a type. */
export class ModelSchemas {
  readonly #model: Model
  readonly #cleaner: SchemaCleaner
  readonly #types = new Map<string, string>()
  readonly #definitions = new Map<string, Definition>()
  /** The types that are only another one, with that one. */
  readonly #aliases = new Map<string, string>()
  readonly #names = new UniqueNames(RESERVED)

  constructor(model: Model, onWarning: (text: string) => void) {
    this.#model = model
    const nameOf = (reference: JsonObject, pointer: string): string => this.#reference(reference, pointer)
    this.#cleaner = new SchemaCleaner({ nameOf, onWarning })
  }

  /** The schemas by the names of their types, in the order of their first use. */
  get definitions(): ReadonlyMap<string, Definition> {
    return this.#definitions
  }

  /**
   * Adds the schema of a payload.
   * @param name what its type is named after, where the schema has no place of its own in the model
   * @returns the name of its type
   */
  add(schema: unknown, pointer: string, name: string): string {
    if (isObject(schema) && Object.hasOwn(schema, '$ref')) return this.#reference(schema, pointer)
    return this.#define(schema, pointer, name)
  }

  /** The definitions that one refers to, directly or not, itself not among them. */
  usedBy(type: string): readonly string[] {
    const used = new Set([type])
    for (const name of used) {
      const schema = this.#definitions.get(name)?.schema
      for (const found of referencesIn(schema)) if (this.#definitions.has(found)) used.add(found)
    }
    used.delete(type)
    return [...used].sort()
  }

  #reference(reference: JsonObject, pointer: string): string {
    const target = this.#model.follow(reference, pointer)
    return this.#define(target.value, target.pointer, target.pointer.split('/').at(-1) ?? 'Schema')
  }

  /**
   * A schema without a type got one, which narrows it. Where a narrower schema makes the whole
   * accept more, that may not be.
   * @throws ModelError which names the reference
   */
  checkExactReferences(): void {
    const { exactReferences, typedPlaces } = this.#cleaner
    const places = new Set(typedPlaces)
    for (const { name, pointer } of exactReferences) {
      const own = this.#resolved(name)
      const reached = [own, ...this.usedBy(own)].map((one) => this.#definitions.get(one)?.pointer ?? '')
      const typed = [...places].find((place) => reached.some((one) => isWithin(place, one)))
      if (typed === undefined) continue
      throw new ModelError(
        pointer,
        `the schema ${typed} has no type. Name its type, since it is part of a choice here`,
      )
    }
  }

  #define(schema: unknown, pointer: string, name: string): string {
    const known = this.#types.get(pointer)
    if (known !== undefined) return this.#resolved(known)
    const type = this.#names.take(typeName(name))
    // Named before its parts are read: they may refer to it.
    this.#types.set(pointer, type)
    this.#definitions.set(type, { schema: {}, pointer })
    const { default: _default, ...cleaned } = this.#cleaner.clean(schema, pointer)
    const target = [...directReferences(cleaned)]
    if (target.includes(type)) throw new ModelError(pointer, ENDLESS)
    if (typeof cleaned.$ref === 'string' && target[0] !== undefined) return this.#alias(type, target[0])
    this.#definitions.set(type, { schema: cleaned, pointer })
    return type
  }

  /**
   * A schema that is only another one is no type of its own. What was defined meanwhile may refer
   * to it by its name.
   */
  #alias(type: string, target: string): string {
    this.#definitions.delete(type)
    this.#aliases.set(type, target)
    return target
  }

  #resolved(type: string): string {
    let name = type
    for (let next = this.#aliases.get(name); next !== undefined; next = this.#aliases.get(name)) name = next
    return name
  }

  /**
   * Ends the adding: all references lead to definitions from now on.
   * @throws ModelError for schemas that refer to themselves without a property or an item between
   */
  finish(): void {
    if (this.#aliases.size > 0)
      for (const [type, { schema, pointer }] of this.#definitions)
        this.#definitions.set(type, { schema: this.#withResolved(schema) as JsonObject, pointer })
    this.#checkCycles()
  }

  #withResolved(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#withResolved(item))
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(([key, child]) => {
      const isReference = key === '$ref' && typeof child === 'string'
      return [key, isReference ? REFERENCE + this.#resolved(typeOf(child)) : this.#withResolved(child)]
    })
    return Object.fromEntries(entries)
  }

  #checkCycles(): void {
    for (const [type, { pointer }] of this.#definitions) {
      const reached = new Set<string>()
      const waiting = [type]
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        for (const next of directReferences(this.#definitions.get(name)?.schema ?? {})) {
          if (next === type) throw new ModelError(pointer, ENDLESS)
          if (!reached.has(next)) waiting.push(next)
          reached.add(next)
        }
      }
    }
  }
}

/**
 * `nested.add.input` becomes `NestedAddInput`: letters and digits, in capitals where words begin.
 */
export function typeName(name: string): string {
  const words = asciiText(name)
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  const joined = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  // A letter after digits is a capital, as the library that makes the types writes names.
  const spelled = joined.slice(0, 100).replace(/\d+[a-z]/g, (text) => text.toUpperCase())
  return /^[A-Z]/.test(spelled) ? spelled : `Type${spelled}`
}

/** How schemas refer to a definition. */
const REFERENCE = '#/definitions/'

function typeOf(reference: string): string {
  return reference.slice(REFERENCE.length)
}

const ENDLESS = 'it refers to itself without a property or an item between'

function isWithin(pointer: string, folder: string): boolean {
  return pointer === folder || pointer.startsWith(`${folder}/`)
}

/** What a schema refers to for the same value. */
function* directReferences(schema: JsonObject): Generator<string> {
  if (typeof schema.$ref === 'string') yield typeOf(schema.$ref)
  const lists = ['anyOf', 'oneOf', 'allOf'].map((key) => schema[key])
  const single = ['not', 'if', 'then', 'else'].map((key) => schema[key])
  for (const part of [...lists.flat(), ...single, ...Object.values(Object(schema.dependencies))])
    if (isObject(part)) yield* directReferences(part)
}

function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') yield typeOf(child)
    else yield* referencesIn(child)
  }
}

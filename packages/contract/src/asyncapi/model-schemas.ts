import { asciiText } from './ascii-text.js'
import { isObject, type JsonObject, UniqueNames } from './document.js'
import type { Model } from './model.js'
import { ModelError } from './model-error.js'
import { SchemaCleaner } from './schema-cleaner.js'
import { TypedPlaces } from './typed-places.js'

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
  /** The definitions that it refers to. They are known when the adding has ended. */
  readonly uses: readonly string[]
}

/** Names of the generated file. */
const RESERVED = ['Payloads', 'Schema']

/**
 * How many schemas that refer to one another are read inside one another. What they refer to waits:
 * a chain of any length needs no stack.
 */
const MAX_INSIDE = 8

interface WaitingSchema {
  readonly schema: unknown
  readonly pointer: string
  readonly type: string
}

/** Gives each payload of a model, and each schema that one refers to, the name of a type. */
export class ModelSchemas {
  readonly #model: Model
  readonly #cleaner: SchemaCleaner
  readonly #types = new Map<string, string>()
  readonly #definitions = new Map<string, Definition>()
  /** The types that are only another one, with that one. */
  readonly #aliases = new Map<string, string>()
  readonly #names = new UniqueNames(RESERVED)
  readonly #waiting: WaitingSchema[] = []
  readonly #uses = new Map<string, readonly string[]>()
  #inside = 0

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
    const isReference = isObject(schema) && Object.hasOwn(schema, '$ref')
    const type = isReference ? this.#reference(schema, pointer) : this.#define(schema, pointer, name)
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) this.#read(next)
    return this.#resolved(type)
  }

  /** The definitions that one refers to, directly or not, itself not among them. */
  usedBy(type: string): readonly string[] {
    const known = this.#uses.get(type)
    if (known) return known
    const used = new Set([type])
    for (const name of used) for (const found of this.#definitions.get(name)?.uses ?? []) used.add(found)
    used.delete(type)
    const names = [...used].sort()
    this.#uses.set(type, names)
    return names
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
    const typed = new TypedPlaces(typedPlaces)
    const checked = new Set<string>()
    for (const { name, pointer } of exactReferences) {
      const own = this.#resolved(name)
      if (checked.has(own)) continue
      checked.add(own)
      const reached = [own, ...this.usedBy(own)].map((one) => this.#definitions.get(one)?.pointer ?? '')
      const place = typed.firstWithin(reached)
      if (place === undefined) continue
      throw new ModelError(
        pointer,
        `the schema ${place} has no type. Name its type, since it is part of a choice here`,
      )
    }
  }

  #define(schema: unknown, pointer: string, name: string): string {
    const known = this.#types.get(pointer)
    if (known !== undefined) return this.#resolved(known)
    const type = this.#names.take(typeName(name))
    // Named before its parts are read: they may refer to it.
    this.#types.set(pointer, type)
    this.#definitions.set(type, { schema: {}, pointer, uses: [] })
    if (this.#inside < MAX_INSIDE) return this.#read({ schema, pointer, type })
    this.#waiting.push({ schema, pointer, type })
    return type
  }

  #read({ schema, pointer, type }: WaitingSchema): string {
    this.#inside += 1
    const { default: _default, ...cleaned } = this.#cleaner.clean(schema, pointer)
    this.#inside -= 1
    const target = [...directReferences(cleaned)]
    if (target.includes(type)) throw new ModelError(pointer, ENDLESS)
    if (typeof cleaned.$ref === 'string' && target[0] !== undefined) return this.#alias(type, target[0])
    this.#definitions.set(type, { schema: cleaned, pointer, uses: [] })
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
    for (const [type, { schema, pointer }] of this.#definitions) {
      const resolved = this.#aliases.size > 0 ? (this.#withResolved(schema) as JsonObject) : schema
      const uses = [...new Set(referencesIn(resolved))].filter((one) => this.#definitions.has(one))
      this.#definitions.set(type, { schema: resolved, pointer, uses })
    }
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

  /** Takes away what refers to nothing that is left. What stays leads in a circle. */
  #checkCycles(): void {
    const open = new Map<string, Set<string>>()
    const users = new Map<string, string[]>()
    for (const [type, { schema }] of this.#definitions) {
      const targets = new Set([...directReferences(schema)].filter((one) => this.#definitions.has(one)))
      open.set(type, targets)
      for (const target of targets) listAt(users, target).push(type)
    }
    const ended = [...open].filter(([, targets]) => targets.size === 0).map(([type]) => type)
    for (let type = ended.pop(); type !== undefined; type = ended.pop()) {
      open.delete(type)
      for (const user of users.get(type) ?? []) {
        open.get(user)?.delete(type)
        if (open.get(user)?.size === 0) ended.push(user)
      }
    }
    this.#refuseCycle(open)
  }

  /** Each type that is left refers to one that is left, so that following them ends in a circle. */
  #refuseCycle(open: ReadonlyMap<string, ReadonlySet<string>>): void {
    const passed = new Set<string>()
    let [type] = open.keys()
    while (type !== undefined && !passed.has(type)) {
      passed.add(type)
      const [next] = open.get(type) ?? []
      type = next
    }
    if (type === undefined) return
    throw new ModelError(this.#definitions.get(type)?.pointer ?? '#', ENDLESS)
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

function listAt(lists: Map<string, string[]>, name: string): string[] {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
}

const ENDLESS = 'it refers to itself without a property or an item between'

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

import { encodePointer, isObject, type JsonObject } from './document.js'
import { quote } from './json-text.js'
import { ModelError } from './model-error.js'
import { ANNOTATIONS, KEYWORDS, type KeywordValue, TYPES, UNSUPPORTED } from './schema-keywords.js'
import { withDeclaredNames, withOneConstraint, withType } from './schema-rewrites.js'

/** What the cleaner needs of the model. */
export interface CleanerContext {
  /** The name under which the schema that a reference leads to is defined. */
  nameOf(reference: JsonObject, pointer: string): string
  readonly onWarning: (text: string) => void
}

/**
 * Rewrites schemas of a model into a small form that is checked and typed in the same way: known
 * keywords only, each with a value of its kind; references to `#/definitions/Name`; one `type`
 * wherever keywords imply one.
 */
export class SchemaCleaner {
  readonly #context: CleanerContext

  constructor(context: CleanerContext) {
    this.#context = context
  }

  /** @throws ModelError for what is no schema, or has a keyword that can't be checked */
  clean(value: unknown, pointer: string): JsonObject {
    if (typeof value === 'boolean') return value ? {} : { not: {} }
    if (!isObject(value)) throw new ModelError(pointer, 'it has to be a schema')
    if (Object.hasOwn(value, '$ref')) {
      return { $ref: `#/definitions/${this.#context.nameOf(value, pointer)}` }
    }
    const known = Object.entries(value).filter(([key]) => this.#isKnown(key, pointer))
    const cleaned = known.map(([key, child]) => {
      if (CLOSED.has(key) && child === false) return [key, false] as const
      const kind = KEYWORDS.get(key) ?? 'value'
      return [key, this.#cleanValue(kind, child, `${pointer}/${encodePointer(key)}`)] as const
    })
    return withOneConstraint(withOptionalDefaults(withDeclaredNames(withType(Object.fromEntries(cleaned)))))
  }

  #isKnown(key: string, pointer: string): boolean {
    if (KEYWORDS.has(key)) return true
    if (UNSUPPORTED.has(key)) throw new ModelError(pointer, `the keyword ${key} can’t be checked`)
    if (!ANNOTATIONS.has(key) && !key.startsWith('x-')) {
      this.#context.onWarning(`${pointer}: the keyword ${quote(key)} is unknown, and is left out`)
    }
    return false
  }

  #cleanValue(kind: KeywordValue, value: unknown, pointer: string): unknown {
    switch (kind) {
      case 'schema':
        return this.clean(value, pointer)
      case 'schemas':
        return this.#cleanList(value, pointer)
      case 'schema or schemas':
        return Array.isArray(value) ? this.#cleanList(value, pointer) : this.clean(value, pointer)
      case 'schemas by name':
        return this.#cleanMap(value, pointer)
      default:
        checkValue(kind, value, pointer)
        return value
    }
  }

  #cleanList(value: unknown, pointer: string): readonly JsonObject[] {
    if (!Array.isArray(value) || value.length === 0)
      throw new ModelError(pointer, 'it has to be a list of schemas')
    return value.map((item, index) => this.clean(item, `${pointer}/${index}`))
  }

  #cleanMap(value: unknown, pointer: string): JsonObject {
    if (!isObject(value)) throw new ModelError(pointer, 'it has to be an object of schemas')
    const entries = Object.entries(value)
    return Object.fromEntries(
      entries.map(([name, child]) => [name, this.clean(child, `${pointer}/${encodePointer(name)}`)]),
    )
  }
}

/** Keywords that refuse other properties or items by `false`. */
const CLOSED = new Set(['additionalProperties', 'additionalItems'])

/** A default means something only where a property may be left out. */
function withOptionalDefaults(schema: JsonObject): JsonObject {
  const { properties, required } = schema
  if (!isObject(properties)) return schema
  const names = Array.isArray(required) ? required : []
  const entries = Object.entries(properties).map(([name, child]) => {
    if (!isObject(child) || !names.includes(name)) return [name, child]
    const { default: _default, ...rest } = child
    return [name, rest]
  })
  return { ...schema, properties: Object.fromEntries(entries) }
}

type PlainValue = Exclude<KeywordValue, 'schema' | 'schemas' | 'schema or schemas' | 'schemas by name'>

const isPrimitive = (value: unknown): boolean => typeof value !== 'object' || value === null
const isList = (value: unknown, has: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(has)
const isText = (value: unknown): value is string => typeof value === 'string'

const CHECKS: {
  readonly [Kind in PlainValue]: readonly [isValid: (value: unknown) => boolean, what: string]
} = {
  number: [(value) => typeof value === 'number' && Number.isFinite(value), 'a number'],
  count: [(value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number, 0 or above'],
  text: [isText, 'a text'],
  pattern: [(value) => isText(value) && isPattern(value), 'a regular expression'],
  boolean: [(value) => typeof value === 'boolean', 'true or false'],
  types: [
    (value) => TYPES.has(value) || (isList(value, (item) => TYPES.has(item)) && Object(value).length > 0),
    'a type of JSON Schema, or a list of them',
  ],
  primitive: [isPrimitive, 'a text, a number, a boolean or null'],
  primitives: [(value) => isList(value, isPrimitive), 'a list of texts, numbers, booleans and null'],
  names: [(value) => isList(value, isText), 'a list of names'],
  value: [() => true, 'a value'],
}

function checkValue(kind: PlainValue, value: unknown, pointer: string): void {
  const [isValid, what] = CHECKS[kind]
  if (!isValid(value)) throw new ModelError(pointer, `it has to be ${what}`)
}

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text))
  } catch {
    return false
  }
}

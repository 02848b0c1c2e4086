import { isPattern } from '../json-schema/checked-schema.js'
import { isKnownFormat } from '../json-schema/validator.js'
import { encodePointer, isObject, type JsonObject } from './document.js'
import { quote, toJson } from './json-text.js'
import { ModelError } from './model-error.js'
import { ANNOTATIONS, EXACT, KEYWORDS, type KeywordValue, TYPES, UNSUPPORTED } from './schema-keywords.js'
import { withType } from './schema-rewrites.js'

/** What the cleaner needs of the model. */
export interface CleanerContext {
  /** The name under which the schema that a reference leads to is defined. */
  nameOf(reference: JsonObject, pointer: string): string
  readonly onWarning: (text: string) => void
}

/** A reference that has to lead to a schema as the model has it, without a type that was added. */
export interface ExactReference {
  readonly name: string
  readonly pointer: string
}

/**
 * How a schema is cleaned. `typed`: it gets the type that its keywords speak of, where it leaves
 * the type out. That only narrows it. `exact`: it stays as it is, since it stands where a narrower
 * schema would make the whole accept more.
 */
type Mode = 'typed' | 'exact'

/**
 * Takes from the schemas of a model what is checked: the keywords of draft-07, each with a value of
 * its kind, and references to `#/definitions/Name`.
 */
export class SchemaCleaner {
  readonly #context: CleanerContext
  /** The references in places where a narrower schema would make the whole accept more. */
  readonly exactReferences: ExactReference[] = []
  /** The places of schemas that got a type. */
  readonly typedPlaces: string[] = []

  constructor(context: CleanerContext) {
    this.#context = context
  }

  /** @throws ModelError for what is no schema, or has a keyword that can't be checked */
  clean(value: unknown, pointer: string, mode: Mode = 'typed'): JsonObject {
    if (typeof value === 'boolean') return value ? {} : { not: {} }
    if (!isObject(value)) throw new ModelError(pointer, 'it has to be a schema')
    if (Object.hasOwn(value, '$ref')) return this.#reference(value, pointer, mode)
    const known = Object.entries(value).filter(([key]) => this.#isKnown(key, pointer))
    const entries = known.map(([key, child]) => {
      if (CLOSED.has(key) && child === false) return [key, false] as const
      const place = `${pointer}/${encodePointer(key)}`
      return [key, this.#cleanValue(key, child, { pointer: place, mode })] as const
    })
    const cleaned: JsonObject = Object.fromEntries(entries)
    this.#checkFormat(cleaned, pointer)
    return mode === 'exact' ? cleaned : this.#typed(cleaned, value, pointer)
  }

  #typed(cleaned: JsonObject, original: JsonObject, pointer: string): JsonObject {
    const schema = withType(cleaned)
    if (schema !== cleaned) this.typedPlaces.push(pointer)
    if (!Array.isArray(original.oneOf)) return schema
    // Of the exact choices, one may be valid alone that is none with types: then both forms have to
    // hold.
    const choices = original.oneOf.map((part, index) => this.clean(part, `${pointer}/oneOf/${index}`))
    if (toJson(choices) === toJson(schema.oneOf)) return schema
    return { ...schema, allOf: [...((schema.allOf as readonly unknown[]) ?? []), { anyOf: choices }] }
  }

  #reference(value: JsonObject, pointer: string, mode: Mode): JsonObject {
    const ignored = Object.keys(value).filter((key) => KEYWORDS.has(key) && key !== 'description')
    if (ignored.length > 0) {
      const names = ignored.join(', ')
      this.#context.onWarning(`${pointer}: beside $ref, draft-07 ignores ${names}; put both into an allOf`)
    }
    const name = this.#context.nameOf(value, pointer)
    if (mode === 'exact') this.exactReferences.push({ name, pointer })
    return { $ref: `#/definitions/${name}` }
  }

  #isKnown(key: string, pointer: string): boolean {
    if (KEYWORDS.has(key)) return true
    if (UNSUPPORTED.has(key)) throw new ModelError(pointer, `the keyword ${key} can’t be checked`)
    if (!ANNOTATIONS.has(key) && !key.startsWith('x-')) {
      this.#context.onWarning(`${pointer}: the keyword ${quote(key)} is unknown, and is left out`)
    }
    return false
  }

  /** Libraries name formats of their own beside the patterns that say what they are. */
  #checkFormat({ format, pattern }: JsonObject, pointer: string): void {
    if (typeof format === 'string' && pattern === undefined && !isKnownFormat(format))
      this.#context.onWarning(`${pointer}: the format ${quote(format)} is not checked`)
  }

  #cleanValue(
    key: string,
    value: unknown,
    place: { readonly pointer: string; readonly mode: Mode },
  ): unknown {
    const { pointer } = place
    const mode = EXACT.has(key) || key === 'oneOf' ? 'exact' : place.mode
    const kind = KEYWORDS.get(key) ?? 'value'
    switch (kind) {
      case 'schema':
        return this.clean(value, pointer, mode)
      case 'schemas':
        return this.#cleanList(value, pointer, mode)
      case 'schema or schemas':
        return Array.isArray(value) ? this.#cleanList(value, pointer, mode) : this.clean(value, pointer, mode)
      case 'schemas by name':
        if (key === 'patternProperties') checkPatterns(value, pointer)
        return this.#cleanMap(value, pointer, mode)
      case 'schemas or names by name':
        return this.#cleanMap(value, pointer, mode, isNames)
      default:
        checkValue(kind, value, pointer)
        return value
    }
  }

  #cleanList(value: unknown, pointer: string, mode: Mode): readonly JsonObject[] {
    if (!Array.isArray(value) || value.length === 0)
      throw new ModelError(pointer, 'it has to be a list of schemas')
    return value.map((item, index) => this.clean(item, `${pointer}/${index}`, mode))
  }

  /** @param isPlain what stays as it is */
  #cleanMap(
    value: unknown,
    pointer: string,
    mode: Mode,
    isPlain: (child: unknown) => boolean = () => false,
  ): JsonObject {
    if (!isObject(value)) throw new ModelError(pointer, 'it has to be an object of schemas')
    const entries = Object.entries(value).map(([name, child]) => {
      const part = `${pointer}/${encodePointer(name)}`
      return [name, isPlain(child) ? child : this.clean(child, part, mode)]
    })
    return Object.fromEntries(entries)
  }
}

/** Keywords that refuse other properties or items by `false`. */
const CLOSED = new Set(['additionalProperties', 'additionalItems'])

type PlainValue = Exclude<
  KeywordValue,
  'schema' | 'schemas' | 'schema or schemas' | 'schemas by name' | 'schemas or names by name'
>

const isList = (value: unknown, has: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(has)
const isText = (value: unknown): value is string => typeof value === 'string'
const isNames = (value: unknown): boolean => isList(value, isText)

const CHECKS: {
  readonly [Kind in PlainValue]: readonly [isValid: (value: unknown) => boolean, what: string]
} = {
  number: [(value) => typeof value === 'number' && Number.isFinite(value), 'a number'],
  positive: [(value) => typeof value === 'number' && Number.isFinite(value) && value > 0, 'a number above 0'],
  count: [(value) => Number.isSafeInteger(value) && Number(value) >= 0, 'a whole number, 0 or above'],
  text: [isText, 'a text'],
  pattern: [isPattern, 'a regular expression in Unicode mode'],
  boolean: [(value) => typeof value === 'boolean', 'true or false'],
  types: [
    (value) => TYPES.has(value) || (isList(value, (item) => TYPES.has(item)) && Object(value).length > 0),
    'a type of JSON Schema, or a list of them',
  ],
  values: [Array.isArray, 'a list of values'],
  names: [isNames, 'a list of names'],
  value: [() => true, 'a value'],
}

function checkValue(kind: PlainValue, value: unknown, pointer: string): void {
  const [isValid, what] = CHECKS[kind]
  if (!isValid(value)) throw new ModelError(pointer, `it has to be ${what}`)
}

function checkPatterns(value: unknown, pointer: string): void {
  for (const pattern of Object.keys(Object(value))) {
    if (!isPattern(pattern))
      throw new ModelError(pointer, `${quote(pattern)} has to be a regular expression in Unicode mode`)
  }
}

import { badOption } from '@token-socket/protocol'
import { isObject, type JsonObject, pointedAt } from './json-value.js'

/**
 * Keywords of later drafts that constrain values. A check without them would accept what the schema
 * refuses.
 */
const UNSUPPORTED = [
  ...['$anchor', '$dynamicRef', '$recursiveRef', 'dependentRequired', 'dependentSchemas', 'maxContains'],
  ...['minContains', 'prefixItems', 'unevaluatedItems', 'unevaluatedProperties', '$async'],
]

type Kind = 'schema' | 'schemas' | 'items' | 'by name' | 'patterns' | 'pattern' | 'format' | 'any'
type Test = (value: unknown) => boolean

const KINDS: ReadonlyMap<string, Kind | Test> = new Map<string, Kind | Test>([
  ...each(['additionalItems', 'additionalProperties', 'contains', 'propertyNames'], 'schema'),
  ...each(['not', 'if', 'then', 'else'], 'schema'),
  ...each(['allOf', 'anyOf', 'oneOf'], 'schemas'),
  ...each(['properties', 'dependencies'], 'by name'),
  ...each(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'], Number.isFinite),
  ...each(['minItems', 'maxItems', 'minLength', 'maxLength'], Number.isFinite),
  ...each(['minProperties', 'maxProperties'], Number.isFinite),
  ...each(['enum', 'required'], Array.isArray),
  ['items', 'items'],
  ['patternProperties', 'patterns'],
  ['pattern', 'pattern'],
  ['format', 'format'],
  ['const', 'any'],
  ['type', (value) => typeof value === 'string' || Array.isArray(value)],
  ['uniqueItems', (value) => typeof value === 'boolean'],
])

function each(keywords: readonly string[], kind: Kind | Test): readonly (readonly [string, Kind | Test])[] {
  return keywords.map((keyword) => [keyword, kind] as const)
}

/** Formats of AsyncAPI and Zod, as keywords of draft-07. */
const FORMATS: ReadonlyMap<string, JsonObject> = new Map([
  ['jwt', { pattern: '^[\\w\\-]+\\.[\\w\\-]+\\.[\\w\\-]*$' }],
  ['byte', { pattern: '^(?:[A-Za-z\\d+/]{4})*(?:[A-Za-z\\d+/]{2}==|[A-Za-z\\d+/]{3}=)?$' }],
  ['int32', { multipleOf: 1, minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }],
  ['int64', { multipleOf: 1 }],
  ['float', {}],
  ['double', {}],
])

/** Whether the format has a form in keywords. */
export function isPlainFormat(format: string): boolean {
  return FORMATS.has(format)
}

/**
 * A copy of a schema with the keywords of draft-07 only, so that nothing else of it reaches the
 * validator.
 */
export class CheckedSchema {
  readonly root: JsonObject
  /** The copies that references lead to, by reference. */
  readonly targets: { readonly [reference: string]: JsonObject } = Object.create(null)
  readonly #source: JsonObject
  readonly #parent: object
  readonly #formats: ReadonlySet<unknown>

  /**
   * @param parent the prototype of each copied schema @param formats the formats that the
   * validator has
   * @throws RpcError `bad_option` for what is no schema, for keywords of later drafts, and for
   * references that lead nowhere
   */
  constructor(source: JsonObject, parent: object, formats: ReadonlySet<unknown>) {
    this.#source = source
    this.#parent = parent
    this.#formats = formats
    this.root = this.#copy(source)
  }

  readonly #copy = (schema: unknown): JsonObject => {
    if (schema === true) return this.#made({})
    if (schema === false) return this.#made({ not: this.#made({}) })
    if (!isObject(schema)) throw badOption('schema', 'a JSON Schema: an object or a boolean')
    // In draft-07, what stands beside a reference has no meaning.
    if (typeof schema.$ref === 'string') return this.#reference(schema.$ref)
    const later = UNSUPPORTED.find((keyword) => Object.hasOwn(schema, keyword))
    if (later) throw badOption('schema', `of draft-07: the keyword ${later} can’t be checked`)
    const copy: Record<string, unknown> = this.#made({})
    for (const [keyword, value] of Object.entries(schema)) {
      const kind = KINDS.get(keyword)
      if (kind && kind !== 'format') copy[keyword] = this.#value(keyword, kind, value)
    }
    return this.#withFormat(copy, schema.format)
  }

  #made(keywords: JsonObject): Record<string, unknown> {
    return Object.assign(Object.create(this.#parent), keywords)
  }

  #withFormat(copy: Record<string, unknown>, format: unknown): JsonObject {
    const plain = FORMATS.get(String(format))
    if (plain) copy.allOf = [...((copy.allOf as readonly unknown[]) ?? []), this.#made(plain)]
    else if (this.#formats.has(format)) copy.format = format
    return copy
  }

  #reference(reference: string): JsonObject {
    if (!this.targets[reference]) {
      const target = /^#(\/|$)/.test(reference) ? pointedAt(this.#source, reference) : undefined
      if (target === undefined) throw badOption('schema', 'one whose references lead to parts of it')
      // It is there before it is complete, for the references within it.
      const copy = this.#made({})
      Object.assign(this.targets, { [reference]: copy })
      Object.assign(copy, this.#copy(target))
    }
    return this.#made({ $ref: reference })
  }

  #value(keyword: string, kind: Kind | Test, value: unknown): unknown {
    if (typeof kind === 'function') {
      if (kind(value)) return value
      throw badOption('schema', `of draft-07: the value of ${keyword} is of another kind`)
    }
    switch (kind) {
      case 'schema':
        return this.#copy(value)
      case 'items':
        return Array.isArray(value) ? value.map(this.#copy) : this.#copy(value)
      case 'schemas':
        return this.#list(value)
      case 'by name':
        return this.#map(value)
      case 'patterns':
        return this.#map(value, checkPattern)
      case 'pattern':
        checkPattern(value)
    }
    return value
  }

  #list(value: unknown): readonly JsonObject[] {
    if (Array.isArray(value) && value.length > 0) return value.map(this.#copy)
    throw badOption('schema', 'one whose allOf, anyOf and oneOf are lists of schemas')
  }

  #map(value: unknown, checkName?: (name: string) => void): JsonObject {
    if (!isObject(value)) throw badOption('schema', 'one whose properties are objects of schemas')
    const entries = Object.entries(value).map(([name, part]) => {
      checkName?.(name)
      // A dependency may be a list of names.
      return [name, Array.isArray(part) ? part : this.#copy(part)]
    })
    return Object.fromEntries(entries)
  }
}

/** Whether a text is a regular expression in Unicode mode, as JSON Schema advises. */
export function isPattern(text: unknown): text is string {
  try {
    return typeof text === 'string' && Boolean(new RegExp(text, 'u'))
  } catch {
    return false
  }
}

function checkPattern(text: unknown): void {
  if (!isPattern(text))
    throw badOption('schema', 'one whose patterns are regular expressions in Unicode mode')
}

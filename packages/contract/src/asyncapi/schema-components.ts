import type { Schema } from '../schema.js'
import { type AsyncApiMessage, EXTENSION, encodePointer, isObject, type JsonObject } from './document.js'
import { acceptsNothing, describeSchema, type SchemaConverter } from './json-schema.js'
import { toJson } from './json-text.js'
import { typeName } from './model-schemas.js'

/** What a schema is used for. */
export interface SchemaUse {
  /** The name of the component, such as `nested.add.input`. */
  readonly name: string
  /** What the schema belongs to, in words, for warnings. */
  readonly subject: string
}

/** How schemas that can't be described are handled. */
export interface ComponentOptions {
  readonly converters: { readonly [vendor: string]: SchemaConverter }
  readonly onWarning: (text: string) => void
}

/** Collects the schemas of a document under `components`, each once. */
export class SchemaComponents {
  readonly #schemas = new Map<string, JsonObject>()
  readonly #options: ComponentOptions

  constructor(options: ComponentOptions) {
    this.#options = options
  }

  /** The components, by name, in the order of their first use. */
  get all(): { readonly [name: string]: JsonObject } {
    return Object.fromEntries(this.#schemas)
  }

  /**
   * The fields of a message for a schema: no payload without one, an open payload for one that
   * can't be described.
   */
  message(schema: Schema | undefined, use: SchemaUse): Pick<AsyncApiMessage, 'payload' | typeof EXTENSION> {
    if (!schema) return {}
    const optional = acceptsNothing(schema) ? { [EXTENSION]: { optional: true as const } } : {}
    const described = describeSchema(schema, this.#options.converters)
    if (described.problem === undefined) {
      for (const { place, expression } of described.flagged) this.#warnOfPattern(use, place, expression)
      return { payload: this.#add(described.schema, use.name), ...optional }
    }
    this.#options.onWarning(`${use.subject} has an open payload: ${described.problem}`)
    return { payload: {}, ...optional }
  }

  #warnOfPattern({ subject }: SchemaUse, place: string, expression: string): void {
    const where = place === '' ? '' : ` at ${place}`
    this.#options.onWarning(`${subject}${where}: JSON Schema has no flags; ${expression} is left out`)
  }

  #add(given: JsonObject, name: string): JsonObject {
    const own = this.#freeName(componentName(name))
    const { $schema: _version, definitions, $defs, ...rest } = withOwnRoot(given, name)
    const parts = { ...objectOr(definitions), ...objectOr($defs) }
    const targets = this.#placeDefinitions(parts, own)
    const moved = movePointers(rest, targets) as JsonObject
    if (Object.keys(moved).length === 1 && typeof moved.$ref === 'string') return moved
    this.#schemas.set(own, moved)
    return { $ref: refTo(own) }
  }

  #freeName(name: string): string {
    let free = name
    for (let count = 2; this.#schemas.has(free); count += 1) free = `${name}${count}`
    return free
  }

  /**
   * Definitions become components of their own names; where one of another content has the name, of
   * longer ones.
   */
  #placeDefinitions(parts: JsonObject, own: string): ReadonlyMap<string, string> {
    const short = this.#movedDefinitions(parts, (name) => componentName(name), own)
    const isFree = short.entries.every(([name, schema]) => this.#isFree(name, schema))
    const long = (name: string): string => componentName(`${own}.${name}`)
    const { entries, targets } = isFree ? short : this.#movedDefinitions(parts, long, own)
    for (const [name, schema] of entries) this.#schemas.set(name, schema)
    return targets
  }

  #movedDefinitions(parts: JsonObject, nameOf: (name: string) => string, own: string) {
    const targets = new Map([['#', refTo(own)]])
    for (const name of Object.keys(parts)) {
      for (const folder of ['definitions', '$defs']) {
        targets.set(`#/${folder}/${encodePointer(name)}`, refTo(nameOf(name)))
      }
    }
    const entries = Object.entries(parts).map(
      ([name, schema]) => [nameOf(name), movePointers(schema, targets) as JsonObject] as const,
    )
    return { entries, targets }
  }

  #isFree(name: string, schema: JsonObject): boolean {
    const present = this.#schemas.get(name)
    return present === undefined || toJson(present) === toJson(schema)
  }
}

function refTo(component: string): string {
  return `#/components/schemas/${component}`
}

/** AsyncAPI allows letters, digits, dots, hyphens and underscores. */
function componentName(name: string): string {
  return name.replace(/[^\w.]+/g, '-').replace(/^-+|-+$/g, '') || 'schema'
}

/**
 * Schemas of a generated contract are a reference to one of their definitions. Where that is named
 * after the use, it is the schema of the use: so a document that became a contract has its own
 * names again.
 */
function withOwnRoot(schema: JsonObject, name: string): JsonObject {
  const { $ref, definitions, ...rest } = schema
  const type = typeName(name)
  const isOwn = $ref === `#/definitions/${type}` && Object.keys(rest).every((key) => key === '$schema')
  if (!isOwn || !isObject(definitions)) return schema
  const targets = new Map([
    ['#', '#'],
    [$ref, '#'],
  ])
  const { [type]: root, ...others } = movePointers(definitions, targets) as JsonObject
  return { ...objectOr(root), definitions: others }
}

function objectOr(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

/** Keywords whose values are data, not schemas. */
const DATA = new Set(['const', 'enum', 'default', 'examples'])

/** Keywords whose values are schemas by name: any name will do, those of keywords too. */
const BY_NAME = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas'])

/** A schema whose references lead into the document instead of into the schema. */
function movePointers(value: unknown, targets: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => movePointers(item, targets))
  if (!isObject(value)) return value
  const entries = Object.entries(value).map(([key, child]) => {
    if (key === '$ref' && typeof child === 'string') return [key, moved(child, targets)]
    if (BY_NAME.has(key) && isObject(child)) return [key, movedByName(child, targets)]
    return [key, DATA.has(key) ? child : movePointers(child, targets)]
  })
  return Object.fromEntries(entries)
}

function movedByName(schemas: JsonObject, targets: ReadonlyMap<string, string>): JsonObject {
  const entries = Object.entries(schemas).map(([name, schema]) => [name, movePointers(schema, targets)])
  return Object.fromEntries(entries)
}

function moved(pointer: string, targets: ReadonlyMap<string, string>): string {
  const exact = targets.get(pointer)
  if (exact !== undefined) return exact
  for (const [from, to] of targets) {
    if (from !== '#' && pointer.startsWith(`${from}/`)) return to + pointer.slice(from.length)
  }
  return pointer.startsWith('#/') ? `${targets.get('#')}${pointer.slice(1)}` : pointer
}

import { has, isObject, type JsonObject, pointedAt } from './json-value.js'

/**
 * Puts the defaults of a schema in the place of properties that are not there. The value stays as
 * it is; parts that change are copied. Defaults in choices and conditions do not count, since it
 * depends on the value which of them holds.
 */
export class Defaults {
  readonly #root: JsonObject
  /**
   * Whether a schema has defaults at all. Most have none, and their values are not looked through.
   */
  readonly areThere: boolean

  constructor(root: JsonObject) {
    this.#root = root
    this.areThere = hasDefaults(root)
  }

  /** @param value a value that the schema accepts */
  fill(value: unknown, schema: unknown = this.#root): unknown {
    if (!isObject(schema) || typeof value !== 'object' || value === null) return value
    if (typeof schema.$ref === 'string') return this.fill(value, pointedAt(this.#root, schema.$ref))
    const parts = Array.isArray(schema.allOf) ? schema.allOf : []
    const whole = parts.reduce<unknown>((filled, part) => this.fill(filled, part), value)
    if (Array.isArray(whole)) return this.#fillList(whole, schema)
    return isObject(whole) ? this.#fillObject(whole, schema) : whole
  }

  #fillList(list: readonly unknown[], { items, additionalItems }: JsonObject): readonly unknown[] {
    const schemaOf = (index: number) => (Array.isArray(items) ? (items[index] ?? additionalItems) : items)
    const filled = list.map((item, index) => this.fill(item, schemaOf(index)))
    return filled.some((item, index) => item !== list[index]) ? filled : list
  }

  #fillObject(value: JsonObject, { properties, additionalProperties }: JsonObject): JsonObject {
    const own = isObject(properties) ? properties : {}
    const changed = new Map<string, unknown>()
    for (const [name, schema] of Object.entries(own)) {
      if (!has(value, name) && isObject(schema) && Object.hasOwn(schema, 'default'))
        changed.set(name, structuredClone(schema.default))
    }
    for (const name of Object.keys(value)) {
      const filled = this.fill(value[name], Object.hasOwn(own, name) ? own[name] : additionalProperties)
      if (filled !== value[name]) changed.set(name, filled)
    }
    return changed.size === 0 ? value : { ...value, ...Object.fromEntries(changed) }
  }
}

function hasDefaults(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return false
  return Object.hasOwn(schema, 'default') || Object.values(schema).some(hasDefaults)
}

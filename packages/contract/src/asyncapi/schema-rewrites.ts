import { isObject, type JsonObject } from './document.js'
import { TYPE_OF_KEYWORDS } from './schema-keywords.js'

/** Whether a schema accepts everything. */
export function isOpen(schema: JsonObject): boolean {
  return Object.keys(schema).every((key) => key === 'description' || key === 'default')
}

/**
 * Names the type of which a schema's keywords speak, where it is one and the schema leaves it out.
 */
export function withType(schema: JsonObject): JsonObject {
  if ('type' in schema || 'enum' in schema || 'const' in schema) return schema
  const types = new Set(Object.keys(schema).map((key) => TYPE_OF_KEYWORDS.get(key)))
  types.delete(undefined)
  return types.size === 1 ? { type: [...types][0], ...schema } : schema
}

/** Gives each required name a property, and each name that `propertyNames` lists. */
export function withDeclaredNames(schema: JsonObject): JsonObject {
  if (schema.type !== 'object') return schema
  const { propertyNames, ...rest } = withListedNames(schema)
  const kept = isObject(propertyNames) && !isAnyName(propertyNames) ? { ...rest, propertyNames } : rest
  const required = Array.isArray(kept.required) ? (kept.required as readonly string[]) : []
  const properties = isObject(kept.properties) ? kept.properties : {}
  const missing = required.filter((name) => !Object.hasOwn(properties, name))
  if (missing.length === 0) return kept
  const { additionalProperties, patternProperties } = kept
  const other = isObject(additionalProperties) && !isObject(patternProperties) ? additionalProperties : {}
  const added = Object.fromEntries(missing.map((name) => [name, other]))
  return { ...kept, properties: { ...properties, ...added } }
}

function isAnyName(names: JsonObject): boolean {
  return Object.entries(names).every(([key, value]) => key === 'type' && value === 'string')
}

/** A record with listed names is an object with these properties. */
function withListedNames(schema: JsonObject): JsonObject {
  const { propertyNames, additionalProperties = {}, ...rest } = schema
  const names = isObject(propertyNames) ? (propertyNames.enum ?? [propertyNames.const]) : undefined
  const isList = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string')
  if (!isList || additionalProperties === false || 'properties' in schema || 'patternProperties' in schema)
    return schema
  const properties = Object.fromEntries(names.map((name) => [name, additionalProperties]))
  return { ...rest, properties, additionalProperties: false }
}

const COMBINATIONS = ['anyOf', 'oneOf', 'allOf'] as const
const ABOUT = new Set(['description', 'default'])

/** Constraints beside one another become parts of one `allOf`, so that none is overlooked. */
export function withOneConstraint(schema: JsonObject): JsonObject {
  const entries = Object.entries(schema)
  const isCombination = (key: string): boolean => COMBINATIONS.some((name) => name === key)
  const base = Object.fromEntries(entries.filter(([key]) => !isCombination(key) && !ABOUT.has(key)))
  const about = Object.fromEntries(entries.filter(([key]) => ABOUT.has(key)))
  const parts: unknown[] = Object.keys(base).length > 0 ? [base] : []
  for (const key of ['anyOf', 'oneOf'] as const) if (key in schema) parts.push({ [key]: schema[key] })
  if (Array.isArray(schema.allOf)) parts.push(...schema.allOf)
  if (parts.length === 1 && isObject(parts[0])) return { ...parts[0], ...about }
  return parts.length === 0 ? about : { allOf: parts, ...about }
}

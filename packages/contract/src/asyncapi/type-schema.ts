import { isObject, type JsonObject } from './document.js'
import { isOpen, withDeclaredNames, withOneConstraint } from './schema-rewrites.js'

/** A type that is written as it stands here. None is a text of a model. */
const UNKNOWN = { tsType: 'unknown' }
const UNDEFINED = { tsType: 'undefined' }
const NEVER = { tsType: 'never' }

/**
 * How schemas refer to a definition. Its type goes by its name: the library would walk through all
 * that it refers to.
 */
const REFERENCE = '#/definitions/'

/** What was made of schemas: rewrites put one schema in several places. */
const made = new WeakMap<JsonObject, JsonObject>()

/**
 * The part of a cleaned schema that types are made of, for the library that makes them. The same
 * schema gives the same object.
 */
export function typeSchema(schema: JsonObject): JsonObject {
  const type = made.get(schema) ?? makeType(schema)
  made.set(schema, type)
  return type
}

function makeType(schema: JsonObject): JsonObject {
  const comment =
    typeof schema.description === 'string' ? { description: commentText(schema.description) } : {}
  return { ...shapeOf(withOneConstraint(withDeclaredNames(typedPart(schema)))), ...comment }
}

/** Types have no word for conditions. What is never valid is `never`. */
function typedPart({
  if: _if,
  then: _then,
  else: _else,
  dependencies: _names,
  not,
  ...rest
}: JsonObject): JsonObject {
  return isObject(not) && isOpen(not) ? { not } : rest
}

function shapeOf(schema: JsonObject): JsonObject {
  if (typeof schema.$ref === 'string') return { tsType: schema.$ref.slice(REFERENCE.length) }
  if ('not' in schema) return NEVER
  if (isOpen(schema)) return UNKNOWN
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    if (key in schema) return { [key === 'oneOf' ? 'anyOf' : key]: listOf(schema[key]).map(typeSchema) }
  }
  if ('enum' in schema) return enumShape(listOf(schema.enum))
  if ('const' in schema) return valueShape(schema.const)
  if (Array.isArray(schema.type)) {
    return { anyOf: [...new Set(schema.type)].map((type) => shapeOf({ ...schema, type })) }
  }
  if (schema.type === 'object') return objectShape(schema)
  if (schema.type === 'array') return arrayShape(schema)
  return schema.type === undefined ? UNKNOWN : { type: schema.type }
}

function enumShape(values: readonly unknown[]): JsonObject {
  if (values.length === 0) return NEVER
  const arePlain = values.every((value) => typeof value !== 'object' || value === null)
  return arePlain ? { enum: values } : { anyOf: values.map(valueShape) }
}

/** The type of one value. */
function valueShape(value: unknown): JsonObject {
  if (Array.isArray(value)) return tupleShape(value.map(valueShape))
  if (!isObject(value)) return { const: value }
  const entries = Object.entries(value).map(([name, child]) => [name, valueShape(child)])
  const properties = Object.fromEntries(entries)
  return { type: 'object', properties, required: Object.keys(value), additionalProperties: false }
}

function tupleShape(items: readonly JsonObject[]): JsonObject {
  const count = items.length
  return { type: 'array', items, additionalItems: false, minItems: count, maxItems: count }
}

function objectShape({
  properties,
  required,
  additionalProperties,
  patternProperties,
}: JsonObject): JsonObject {
  const names = Array.isArray(required) ? required : []
  const entries = Object.entries(isObject(properties) ? properties : {}).map(([name, child]) => {
    const type = typeSchema(child as JsonObject)
    return [name, names.includes(name) ? type : orUndefined(type)] as const
  })
  const patterns = Object.values(isObject(patternProperties) ? patternProperties : {}) as JsonObject[]
  return {
    type: 'object',
    properties: Object.fromEntries(entries),
    required: names,
    additionalProperties: otherProperties(additionalProperties, patterns, entries.length === 0),
  }
}

function otherProperties(
  additional: unknown,
  patterns: readonly JsonObject[],
  isBare: boolean,
): JsonObject | boolean {
  const isClosed = additional === false || (isObject(additional) && 'not' in additional)
  if (patterns.length > 0) {
    const others = isClosed ? [] : isObject(additional) ? [typeSchema(additional)] : [UNKNOWN]
    return { anyOf: [...patterns.map(typeSchema), ...others] }
  }
  if (isClosed) return false
  if (isObject(additional)) return isOpen(additional) ? true : typeSchema(additional)
  return isBare
}

/** A property that is `undefined` is left out of the JSON. */
function orUndefined({ description, ...type }: JsonObject): JsonObject {
  if (type.tsType === 'unknown') return { ...type, ...(description !== undefined && { description }) }
  return { anyOf: [type, UNDEFINED], ...(description !== undefined && { description }) }
}

function arrayShape({ items, additionalItems, minItems, maxItems }: JsonObject): JsonObject {
  if (!Array.isArray(items)) {
    return { type: 'array', items: isObject(items) ? typeSchema(items) : UNKNOWN }
  }
  const isClosed = additionalItems === false || Number(maxItems) <= items.length
  const rest = isObject(additionalItems) ? typeSchema(additionalItems) : UNKNOWN
  return {
    type: 'array',
    items: items.map((item) => typeSchema(item)),
    additionalItems: isClosed ? false : rest,
    minItems: Math.min(Number(minItems ?? 0), items.length),
    ...(isClosed && { maxItems: items.length }),
  }
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value : []
}

/**
 * A text as a comment can hold it: it can't end the comment, and has no characters that can't be
 * seen.
 */
export function commentText(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[^\P{C}\n\t]/gu, ' ')
    .replaceAll('*/', '* /')
    .trim()
}

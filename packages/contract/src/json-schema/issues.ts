import type { CheckedSchema } from './checked-schema.js'
import { has, isObject, type JsonObject, pointerParts } from './json-value.js'

/** What is wrong, and where. It never holds the value. */
export interface FoundIssue {
  readonly message: string
  readonly path: readonly (string | number)[]
}

/** An error of the validator. Its text is left out: it may hold the value. */
export interface FoundError {
  readonly keyword: string
  /** A JSON pointer into the schema, through references. */
  readonly keywordLocation: string
  /** A JSON pointer into the value. */
  readonly instanceLocation: string
}

const MAX_ISSUES = 20

const size = (bound: unknown): number => (bound as readonly unknown[]).length

/** Says what a value has to be. @param bound the value of the keyword */
type Message = (bound: unknown) => string

/** What a value has to be, by keyword. Other keywords only lead to errors within them. */
const MESSAGES: ReadonlyMap<string, Message> = new Map<string, Message>([
  ['type', (bound) => `has to be of type ${[bound].flat().join(' or ')}`],
  ['enum', () => 'has to be one of the values of its enum'],
  ['const', () => 'has to be the value of its const'],
  ['minimum', (bound) => `has to be at least ${bound}`],
  ['maximum', (bound) => `has to be at most ${bound}`],
  ['exclusiveMinimum', (bound) => `has to be above ${bound}`],
  ['exclusiveMaximum', (bound) => `has to be below ${bound}`],
  ['multipleOf', (bound) => `has to be a multiple of ${bound}`],
  ['minLength', (bound) => `has to be at least ${bound} long`],
  ['maxLength', (bound) => `has to be at most ${bound} long`],
  ['pattern', () => 'has to match its pattern'],
  ['format', (bound) => `has to have the format ${bound}`],
  ['minItems', (bound) => `has to have at least ${bound} items`],
  ['maxItems', (bound) => `has to have at most ${bound} items`],
  ['uniqueItems', () => 'has to have no item twice'],
  ['minProperties', (bound) => `has to have at least ${bound} properties`],
  ['maxProperties', (bound) => `has to have at most ${bound} properties`],
  ['contains', () => 'has to contain an item of a certain kind'],
  ['propertyNames', () => 'has to have other names of properties'],
  ['anyOf', (bound) => `has to be one of ${size(bound)} choices`],
  ['oneOf', (bound) => `has to be exactly one of ${size(bound)} choices`],
  [
    'not',
    (bound) => (Object.keys(Object(bound)).length === 0 ? 'has to be left out' : 'has to be something else'),
  ],
])

/** Keywords whose own error says more than those of the schemas within them. */
const CHOICES = new Set(['anyOf', 'oneOf', 'contains', 'propertyNames'])

/** The issues that errors of the validator stand for: their causes, at most 20. */
export function issuesOf(
  errors: readonly FoundError[],
  schema: CheckedSchema,
  value: unknown,
): readonly FoundIssue[] {
  const issues: FoundIssue[] = []
  const choices = new Set<string>()
  const seen = new Set<string>()
  for (const error of errors) {
    const { keyword, keywordLocation, instanceLocation } = error
    const place = `${keywordLocation} ${instanceLocation}`
    if (seen.has(place) || [...choices].some((choice) => keywordLocation.startsWith(choice))) continue
    seen.add(place)
    if (CHOICES.has(keyword)) choices.add(`${keywordLocation}/`)
    issues.push(...issuesOfError(error, boundAt(schema, keywordLocation), value))
    if (issues.length >= MAX_ISSUES) break
  }
  // The value is wrong, whatever the errors say.
  return issues.length === 0 ? [{ message: 'has to be valid', path: [] }] : issues.slice(0, MAX_ISSUES)
}

function issuesOfError(error: FoundError, bound: unknown, value: unknown): readonly FoundIssue[] {
  const { path, part } = follow(value, error.instanceLocation)
  const message = MESSAGES.get(error.keyword)
  if (message) return [{ message: message(bound), path }]
  return missingNames(error.keyword, bound, part).map((name) => ({
    message: 'is required',
    path: [...path, name],
  }))
}

function missingNames(keyword: string, bound: unknown, part: unknown): readonly string[] {
  if (!isObject(part)) return []
  const missing = (names: unknown) =>
    Array.isArray(names) ? names.filter((name: string) => !has(part, name)) : []
  if (keyword === 'required') return missing(bound)
  if (keyword !== 'dependencies') return []
  const needed = Object.entries(bound as JsonObject).filter(([name]) => has(part, name))
  return [...new Set(needed.flatMap(([, names]) => missing(names)))]
}

/** The value of a keyword in the schema. */
function boundAt({ root, targets }: CheckedSchema, location: string): unknown {
  let place: unknown = root
  for (const key of pointerParts(location)) {
    const next: unknown = Object.hasOwn(Object(place), key) ? Reflect.get(Object(place), key) : undefined
    place = key === '$ref' && typeof next === 'string' ? targets[next] : next
  }
  return place
}

function follow(value: unknown, location: string) {
  const path: (string | number)[] = []
  let part = value
  for (const key of pointerParts(location)) {
    path.push(Array.isArray(part) ? Number(key) : key)
    part = Object.hasOwn(Object(part), key) ? Reflect.get(Object(part), key) : undefined
  }
  return { path, part }
}

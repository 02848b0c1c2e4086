import { encodePointer, isObject, type JsonObject } from './document.js'

/** A regular expression of a schema whose flags JSON Schema has no word for. */
export interface FlaggedPattern {
  /**
   * Where its text stands in the described value, such as `/properties/code`; `''` where that is
   * not known.
   */
  readonly place: string
  readonly expression: string
}

/** Flags under which an expression accepts other texts. In JSON Schema there is none but `u`. */
const FLAGS = /[imsvy]/

interface ZodPlace {
  readonly zodSchema: unknown
  readonly jsonSchema: JsonObject
  readonly path: readonly (string | number)[]
}

/**
 * Collects the expressions with flags that Zod describes as if they had none, and takes these
 * patterns out of the description: it would refuse what the schema accepts.
 *
 * @returns options that Standard JSON Schema passes on to Zod
 */
export function zodFlagCollector(found: FlaggedPattern[]): JsonObject {
  const override = ({ zodSchema, jsonSchema, path }: ZodPlace): void => {
    for (const { source, flags } of expressionsOf(zodSchema)) {
      if (!FLAGS.test(flags) || !removePattern(jsonSchema, source)) continue
      const place = path.map((part) => `/${encodePointer(String(part))}`).join('')
      const expression = `/${source}/${flags}`
      // Zod visits a schema once for each step of its chain.
      if (found.some((one) => one.place === place && one.expression === expression)) continue
      found.push({ place, expression })
    }
  }
  return { override }
}

function expressionsOf(zodSchema: unknown): readonly RegExp[] {
  const def = at(at(zodSchema, '_zod'), 'def')
  const checks = at(def, 'checks')
  const parts = [def, ...(Array.isArray(checks) ? checks.map((check) => at(at(check, '_zod'), 'def')) : [])]
  return parts.map((part) => at(part, 'pattern')).filter((pattern) => pattern instanceof RegExp)
}

function removePattern(schema: JsonObject, source: string): boolean {
  const own = schema.pattern === source
  if (own) Reflect.deleteProperty(schema, 'pattern')
  const parts = Array.isArray(schema.allOf) ? schema.allOf.filter(isObject) : []
  const inParts = parts.filter((part) => removePattern(part, source))
  return own || inParts.length > 0
}

/**
 * The expressions with flags that ArkType describes as if they had none: its schemas list them in
 * `json`.
 */
export function arktypeFlags(schema: unknown): readonly FlaggedPattern[] {
  const found: FlaggedPattern[] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { rule, flags } = value as JsonObject
    if (typeof rule === 'string' && typeof flags === 'string' && FLAGS.test(flags))
      found.push({ place: '', expression: `/${rule}/${flags}` })
    Object.values(value).forEach(visit)
  }
  visit(at(schema, 'json'))
  return found
}

/** Takes the patterns of expressions out of a whole description. */
export function withoutPatterns(schema: unknown, found: readonly FlaggedPattern[]): unknown {
  if (Array.isArray(schema)) return schema.map((item) => withoutPatterns(item, found))
  if (!isObject(schema)) return schema
  const isFlagged = (pattern: unknown) =>
    found.some(({ expression }) => expression.slice(1, expression.lastIndexOf('/')) === pattern)
  const entries = Object.entries(schema).filter(([key, value]) => key !== 'pattern' || !isFlagged(value))
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutPatterns(value, found)]))
}

function at(value: unknown, key: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return Reflect.get(value, key)
}

import { isObject } from './json-value.js'

const DATA = new Set(['const', 'enum', 'default', 'examples'])
const NAMED = new Set(['properties', 'patternProperties', 'definitions', 'dependencies'])

/**
 * A schema of draft-07 in the words of draft 2020-12: lists of items have another keyword there.
 */
export function laterDraft(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(laterDraft)
  if (!isObject(schema)) return schema
  const entries = Object.entries(schema).flatMap(([key, child]) => entriesFor(key, child, schema))
  return Object.fromEntries(entries)
}

type Entry = readonly [key: string, value: unknown]

function entriesFor(key: string, child: unknown, { items }: { readonly items?: unknown }): readonly Entry[] {
  if (DATA.has(key)) return [[key, child]]
  if (key === 'items' && Array.isArray(child)) return [['prefixItems', child.map(laterDraft)]]
  if (key === 'additionalItems') return Array.isArray(items) ? [['items', laterDraft(child)]] : []
  if (key === 'dependencies' && isObject(child)) return dependencies(Object.entries(child))
  return [[key, NAMED.has(key) && isObject(child) ? mapped(Object.entries(child)) : laterDraft(child)]]
}

function dependencies(entries: readonly Entry[]): readonly Entry[] {
  const names = entries.filter(([, value]) => Array.isArray(value))
  const schemas = entries.filter(([, value]) => !Array.isArray(value))
  return [
    ['dependentRequired', Object.fromEntries(names)],
    ['dependentSchemas', mapped(schemas)],
  ]
}

function mapped(entries: readonly Entry[]): unknown {
  return Object.fromEntries(entries.map(([name, part]) => [name, laterDraft(part)]))
}

/** What the value of a JSON Schema keyword is. */
export type KeywordValue =
  | 'schema'
  | 'schemas'
  | 'schema or schemas'
  | 'schemas by name'
  | 'number'
  | 'count'
  | 'positive'
  | 'text'
  | 'pattern'
  | 'boolean'
  | 'types'
  | 'values'
  | 'schemas or names by name'
  | 'names'
  | 'value'

/** The keywords that are checked, each with what its value is. */
export const KEYWORDS: ReadonlyMap<string, KeywordValue> = new Map([
  ['type', 'types'],
  ['enum', 'values'],
  ['const', 'value'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['allOf', 'schemas'],
  ['not', 'schema'],
  ['if', 'schema'],
  ['then', 'schema'],
  ['else', 'schema'],
  ['dependencies', 'schemas or names by name'],
  ['properties', 'schemas by name'],
  ['patternProperties', 'schemas by name'],
  ['additionalProperties', 'schema'],
  ['propertyNames', 'schema'],
  ['required', 'names'],
  ['minProperties', 'count'],
  ['maxProperties', 'count'],
  ['items', 'schema or schemas'],
  ['additionalItems', 'schema'],
  ['contains', 'schema'],
  ['minItems', 'count'],
  ['maxItems', 'count'],
  ['uniqueItems', 'boolean'],
  ['minLength', 'count'],
  ['maxLength', 'count'],
  ['pattern', 'pattern'],
  ['format', 'text'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['multipleOf', 'positive'],
  ['description', 'text'],
  ['default', 'value'],
])

/** Keywords that constrain values in a way that the generated contract can't check. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  '$anchor',
  '$dynamicRef',
  '$recursiveRef',
  'dependentRequired',
  'dependentSchemas',
  'maxContains',
  'minContains',
  'prefixItems',
  'unevaluatedItems',
  'unevaluatedProperties',
])

/** Keywords that say nothing about which values are valid. */
export const ANNOTATIONS: ReadonlySet<string> = new Set([
  '$comment',
  '$defs',
  '$id',
  '$schema',
  'contentEncoding',
  'contentMediaType',
  'definitions',
  'deprecated',
  'discriminator',
  'examples',
  'externalDocs',
  'id',
  'readOnly',
  'title',
  'writeOnly',
])

/** The type that keywords speak of, for schemas that leave `type` out. */
export const TYPE_OF_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['properties', 'object'],
  ['patternProperties', 'object'],
  ['additionalProperties', 'object'],
  ['propertyNames', 'object'],
  ['required', 'object'],
  ['dependencies', 'object'],
  ['minProperties', 'object'],
  ['maxProperties', 'object'],
  ['items', 'array'],
  ['contains', 'array'],
  ['minItems', 'array'],
  ['maxItems', 'array'],
  ['uniqueItems', 'array'],
  ['minLength', 'string'],
  ['maxLength', 'string'],
  ['pattern', 'string'],
  ['format', 'string'],
  ['minimum', 'number'],
  ['maximum', 'number'],
  ['exclusiveMinimum', 'number'],
  ['exclusiveMaximum', 'number'],
  ['multipleOf', 'number'],
])

/** The types of JSON Schema. */
export const TYPES: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'object',
  'array',
  'null',
])

/**
 * Keywords that need the exact schemas of the model: one that accepts less there makes the whole
 * accept more.
 */
export const EXACT: ReadonlySet<string> = new Set(['not', 'if', 'then', 'else', 'contains', 'dependencies'])

/** What the value of a JSON Schema keyword is. */
export type KeywordValue =
  | 'schema'
  | 'schemas'
  | 'schema or schemas'
  | 'schemas by name'
  | 'number'
  | 'count'
  | 'text'
  | 'pattern'
  | 'boolean'
  | 'types'
  | 'primitive'
  | 'primitives'
  | 'names'
  | 'value'

/** The keywords that are checked, each with what its value is. */
export const KEYWORDS: ReadonlyMap<string, KeywordValue> = new Map([
  ['type', 'types'],
  ['enum', 'primitives'],
  ['const', 'primitive'],
  ['anyOf', 'schemas'],
  ['oneOf', 'schemas'],
  ['allOf', 'schemas'],
  ['not', 'schema'],
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
  ['multipleOf', 'number'],
  ['description', 'text'],
  ['default', 'value'],
])

/** Keywords that constrain values in a way that the generated contract can't check. */
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  '$anchor',
  '$dynamicRef',
  '$recursiveRef',
  'dependencies',
  'dependentRequired',
  'dependentSchemas',
  'else',
  'if',
  'maxContains',
  'minContains',
  'prefixItems',
  'then',
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

/** Keywords beside one another: a generated contract accepts nothing that Ajv refuses, and refuses nothing that it accepts. */
import { jsonSchema } from '@token-socket/contract/json-schema'
import Ajv from 'ajv'
import { expect } from 'chai'

type Json = Readonly<Record<string, unknown>>

const S = { type: 'string' }
const N = { type: 'number' }
const A = { type: 'object', properties: { a: S }, required: ['a'] }
const B = { type: 'object', properties: { b: N } }

const PARTS: readonly Json[] = [
  { properties: { a: S } },
  { required: ['b'] },
  { required: ['toString'] },
  { additionalProperties: false },
  { additionalProperties: N },
  { minProperties: 2 },
  { maxProperties: 1 },
  { patternProperties: { '^a': S } },
  { propertyNames: { enum: ['a', 'b'] } },
  { dependencies: { a: ['b'], b: A } },
  { if: { required: ['a'] }, else: B },
  { not: A },
  { allOf: [A, B] },
  { anyOf: [A, B] },
  { oneOf: [A, { ...B, required: ['b'] }] },
  { allOf: [{ ...A, additionalProperties: false }] },
  { type: ['object', 'array'] },
  { type: ['string', 'null'] },
  { type: 'integer' },
  { enum: ['aa', 'b', 1, null, { a: 'x' }, [1]] },
  { const: { a: 'x', b: 1 } },
  { minLength: 2 },
  { maxLength: 1 },
  { pattern: '^\\p{L}+$' },
  { minimum: 2 },
  { exclusiveMaximum: 3 },
  { multipleOf: 2 },
  { items: N },
  { items: [N, S], additionalItems: false },
  { minItems: 2 },
  { uniqueItems: true },
  { contains: { minimum: 3 } },
]

const VALUES: readonly unknown[] = [
  ...[null, true, 0, 1, 2, 3, 4, 1.5, 1e21, '', 'a', 'b', 'aa', 'é', '😀', '😀😀', '12'],
  ...[
    [],
    [1],
    [1, 2],
    [1, 'a'],
    [1, 'a', 2],
    [1, 1],
    [3],
    ['a'],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
  ],
  ...[{}, { a: 'x' }, { a: 1 }, { b: 1 }, { b: 'x' }, { c: 1 }, { a: 'x', b: 1 }, { b: 1, a: 'x' }],
  ...[{ a: 'x', b: 'y' }, { a: 'x', c: 1 }, { ab: 1 }, { a: 'x', b: 1, c: 2 }],
]

describe('jsonSchema', () => {
  it('accepts and refuses what Ajv does, for each two keywords beside one another', () => {
    const ajv = new Ajv.default({ strict: false, ownProperties: true })
    for (const [index, first] of PARTS.entries()) {
      for (const second of PARTS.slice(index)) {
        const schema = { ...first, ...second }
        const wanted = ajv.compile(schema)
        const { validate } = jsonSchema(schema)['~standard']
        for (const value of VALUES) {
          // An empty list contains nothing, says the draft. Ajv accepts it beside a list of items.
          if ('contains' in schema && Array.isArray(value) && value.length === 0) continue
          const { issues } = validate(value) as { readonly issues?: unknown }
          expect(!issues, JSON.stringify({ schema, value })).to.equal(wanted(value))
        }
      }
    }
  }).timeout(60_000)

  it('fills in defaults, and leaves the value itself as it is', () => {
    const schema = { properties: { a: { default: [1] }, b: { properties: { c: { default: 2 } } } } }
    const value = { b: {} }
    expect(jsonSchema(schema)['~standard'].validate(value)).to.deep.equal({ value: { a: [1], b: { c: 2 } } })
    expect(value).to.deep.equal({ b: {} })
  })

  it('gives the schema back', () => {
    const schema = { type: 'array', items: [S], additionalItems: N }
    const { jsonSchema: maker } = Object(jsonSchema(schema))['~standard']
    expect(maker.input({ target: 'draft-07' })).to.deep.equal(schema)
    expect(maker.input({ target: 'draft-2020-12' })).to.deep.equal({
      type: 'array',
      prefixItems: [S],
      items: N,
    })
  })

  it('never has the value in an issue, and refuses what is too deep', () => {
    const list = { type: 'array', items: { $ref: '#' } }
    let deep: unknown = []
    for (let count = 0; count < 2000; count += 1) deep = [deep]
    const { issues } = jsonSchema(list)['~standard'].validate(deep) as { readonly issues: unknown }
    expect(JSON.stringify(issues)).to.include('nested at most 200 levels deep')
    const result = jsonSchema({ const: 'a' })['~standard'].validate('secret')
    expect(JSON.stringify(result)).to.not.include('secret')
  })
})

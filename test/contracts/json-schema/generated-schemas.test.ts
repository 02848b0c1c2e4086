/** Schemas made at random accept and refuse what Ajv does, and say why without the value. */
import { jsonSchema } from '@token-socket/contract/json-schema'
import Ajv from 'ajv'
import { expect } from 'chai'
import fc from 'fast-check'

type Json = Readonly<Record<string, unknown>>

/** Without names such as `toString`, at which Ajv's comparison of objects fails. */
const NAMES = ['a', 'b', 'not', '$ref', 'anyOf', 'a/b', '~#%', 'é']

const name = fc.constantFrom(...NAMES)
const leaf = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, 2, 0.3, -1, 1e21, '', 'a', 'bb', '😀'),
  fc.constantFrom('secret'),
)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(name, tie('value')), { maxLength: 3 })
      .map((entries) => Object.fromEntries(entries) as unknown),
  ),
}))

/** Keywords without schemas in them. */
const plain: fc.Arbitrary<Json> = fc.record(
  {
    type: fc.constantFrom('string', 'number', 'integer', 'boolean', 'null', ['object', 'array'], 'object'),
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    const: value,
    required: fc.uniqueArray(name, { maxLength: 2 }),
    minProperties: fc.nat(2),
    maxProperties: fc.nat(3),
    minItems: fc.nat(2),
    maxItems: fc.nat(3),
    uniqueItems: fc.boolean(),
    minLength: fc.nat(2),
    maxLength: fc.nat(2),
    pattern: fc.constantFrom('^a', '^.$', '\\p{L}'),
    minimum: fc.constantFrom(-1, 0, 1.5),
    exclusiveMaximum: fc.constantFrom(1, 2),
    multipleOf: fc.constantFrom(1, 2, 0.5),
  },
  { requiredKeys: [] },
)

const few = (of: fc.Arbitrary<Json>) =>
  plain.chain((all) =>
    of.map((more) => ({ ...Object.fromEntries(Object.entries(all).slice(0, 2)), ...more })),
  )

const named = (part: fc.Arbitrary<unknown>) =>
  fc.array(fc.tuple(name, part), { maxLength: 3 }).map((entries) => Object.fromEntries(entries) as Json)

/** A schema of at most this many levels. @param hasReferences whether it may lead to `x` */
function schema(depth: number, hasReferences: boolean): fc.Arbitrary<Json> {
  if (depth === 0) return few(fc.constant({}))
  const reference = fc.constant(hasReferences ? { $ref: '#/definitions/x' } : {})
  const part: fc.Arbitrary<unknown> = fc.oneof(
    { arbitrary: schema(depth - 1, hasReferences), weight: 3 },
    fc.boolean(),
    reference,
  )
  return few(fc.oneof(...objects(part), ...choices(part)))
}

function objects(part: fc.Arbitrary<unknown>): readonly fc.Arbitrary<Json>[] {
  const dependency = fc.oneof(part, fc.uniqueArray(name, { maxLength: 2 }))
  return [
    named(part).map((properties) => ({ properties })),
    fc.record({ properties: named(part), additionalProperties: part }),
    fc.record({ patternProperties: fc.record({ '^[ab]': part }), additionalProperties: part }),
    named(dependency).map((dependencies) => ({ dependencies })),
    part.map((propertyNames) => ({ propertyNames })),
  ]
}

function choices(part: fc.Arbitrary<unknown>): readonly fc.Arbitrary<Json>[] {
  const list = fc.array(part, { minLength: 1, maxLength: 3 })
  return [
    part.map((items) => ({ items })),
    fc.record({ items: list, additionalItems: part }),
    // An empty list contains nothing, says the draft. Ajv accepts it beside a list of items.
    part.map((contains) => ({ minItems: 1, contains })),
    list.map((allOf) => ({ allOf })),
    list.map((anyOf) => ({ anyOf })),
    list.map((oneOf) => ({ oneOf })),
    part.map((not) => ({ not })),
    fc
      .tuple(part, part, part)
      .map((parts) => Object.fromEntries(parts.map((one, index) => [['if', 'then', 'else'][index], one]))),
  ]
}

const whole = fc
  .tuple(schema(3, true), schema(1, false))
  .map(([made, x]): Json => ({ ...made, definitions: { x } }))

describe('a JSON Schema made at random', () => {
  it('accepts and refuses what Ajv does, and has issues without the value', () => {
    const ajv = new Ajv.default({ strict: false, ownProperties: true, validateSchema: false })
    fc.assert(
      fc.property(whole, fc.array(value, { minLength: 1, maxLength: 8 }), (made, values) => {
        const wanted = ajv.compile(made)
        ajv.removeSchema(made)
        const { validate } = jsonSchema(made)['~standard']
        for (const one of values) {
          const { issues } = validate(one) as { readonly issues?: readonly { message: string }[] }
          expect(!issues).to.equal(wanted(one))
          if (!issues) continue
          expect(issues.length).to.be.within(1, 20)
          expect(String(issues.map(({ message }) => message))).to.not.match(/secret|undefined|valid/)
        }
      }),
      { numRuns: 300, endOnFailure: true, interruptAfterTimeLimit: 20_000 },
    )
  }).timeout(60_000)
})

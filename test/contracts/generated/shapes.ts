/** Shapes: one of each kind and bound, and random ones. */
import fc from 'fast-check'
import type { Field, Shape } from './shape.js'

const STRING: Shape = { kind: 'string', min: 0, max: 20 }
const COUNT: Shape = { kind: 'number', min: 0, max: 1000, isInteger: true }

/** One of each kind. */
export const FIXED_SHAPES: readonly Shape[] = [
  STRING,
  COUNT,
  { kind: 'number', min: -1.5, max: 2.5, isInteger: false },
  { kind: 'boolean' },
  { kind: 'null' },
  { kind: 'literal', values: ['a', 'b', 3, true] },
  { kind: 'array', of: COUNT, min: 1, max: 4 },
  { kind: 'tuple', parts: [STRING, COUNT, { kind: 'boolean' }] },
  { kind: 'record', of: COUNT },
  { kind: 'union', options: [STRING, COUNT, { kind: 'null' }] },
  object({ name: STRING, age: COUNT }, { isStrict: true }),
  object({
    deep: object({ deeper: object({ list: { kind: 'array', of: object({ id: COUNT }), min: 0, max: 3 } }) }),
  }),
  {
    kind: 'union',
    options: [
      object({ kind: { kind: 'literal', values: ['circle'] }, radius: COUNT }),
      object({ kind: { kind: 'literal', values: ['square'] }, side: COUNT }),
    ],
  },
]

/** A shape of an object whose fields are all required. */
function object(fields: Readonly<Record<string, Shape>>, { isStrict = false } = {}): Shape {
  const list = Object.entries(fields).map(([name, shape]): Field => ({ name, shape, isOptional: false }))
  return { kind: 'object', fields: list, isStrict }
}

const BOUNDS = fc.tuple(fc.nat(3), fc.nat(3)).map(([min, more]) => ({ min, max: min + more }))

const LEAF: fc.Arbitrary<Shape> = fc.oneof(
  BOUNDS.map((bounds): Shape => ({ kind: 'string', ...bounds })),
  fc
    .tuple(fc.integer({ min: -100, max: 100 }), fc.integer({ min: 1, max: 200 }), fc.boolean())
    .map(([min, more, isInteger]): Shape => ({ kind: 'number', min, max: min + more, isInteger })),
  fc.constant<Shape>({ kind: 'boolean' }),
  fc.constant<Shape>({ kind: 'null' }),
  fc
    .uniqueArray(fc.oneof(fc.constantFrom('x', 'y', 'z', ''), fc.integer({ min: 0, max: 9 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((values): Shape => ({ kind: 'literal', values })),
)

/** Random shapes, up to three levels deep. */
export function shapes(depth = 3): fc.Arbitrary<Shape> {
  if (depth === 0) return LEAF
  const inner = shapes(depth - 1)
  return fc.oneof(
    LEAF,
    fc.tuple(inner, BOUNDS).map(([of, bounds]): Shape => ({ kind: 'array', of, ...bounds })),
    fc.array(inner, { minLength: 1, maxLength: 3 }).map((parts): Shape => ({ kind: 'tuple', parts })),
    inner.map((of): Shape => ({ kind: 'record', of })),
    // One compound at most: of unions of several, ArkType 2.2 throws for some values. Schemas that throw have their own test.
    fc
      .tuple(
        fc.array(LEAF, { minLength: 1, maxLength: 2 }),
        inner.filter(({ kind }) => kind !== 'union'),
      )
      .map(([leaves, other]): Shape => ({ kind: 'union', options: [...leaves, other] })),
    fieldsOf(inner).chain((fields) =>
      fc.boolean().map((isStrict): Shape => ({ kind: 'object', fields, isStrict })),
    ),
  )
}

function fieldsOf(inner: fc.Arbitrary<Shape>): fc.Arbitrary<readonly Field[]> {
  const names = fc.constantFrom('id', 'name', 'kind', 'text', 'items', 'a-b', 'length', 'then')
  const field = fc.record({ name: names, shape: inner, isOptional: fc.boolean() })
  return fc.uniqueArray(field, { selector: ({ name }) => name, minLength: 1, maxLength: 4 })
}

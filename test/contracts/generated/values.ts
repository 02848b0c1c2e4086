/** Values that fit a shape, and values with one fault in them, as arbitraries of fast-check. */
import fc from 'fast-check'
import type { Field, Path, Shape } from './shape.js'

/** A value with one fault. */
export interface Faulty {
  readonly value: unknown
  /** Where the fault is. */
  readonly path: Path
}

type ObjectShape = Extract<Shape, { kind: 'object' }>

const TEXT = fc.string({ unit: 'grapheme', maxLength: 12 })

/** Values of all kinds that JSON has, -0 left out, which JSON makes 0. */
const ANYTHING: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 0.5, 1e300, '', '0', 'null', [], {}, [null], {
    '': 0,
  }),
  TEXT,
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
  fc.array(fc.oneof(TEXT, fc.integer()), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', 'kind', 'length', '0'), fc.oneof(TEXT, fc.integer()), {
    maxKeys: 3,
  }),
)

/** Values that fit. */
export function valid(shape: Shape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'string':
      return fc.string({ minLength: shape.min, maxLength: shape.max })
    case 'number':
      return shape.isInteger
        ? fc.integer({ min: Math.ceil(shape.min), max: Math.floor(shape.max) })
        : fc.double({ min: shape.min, max: shape.max, noNaN: true }).map((number) => number + 0)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'literal':
      return fc.constantFrom(...shape.values)
    case 'array':
      return fc.array(valid(shape.of), { minLength: shape.min, maxLength: shape.max })
    case 'tuple':
      return fc.tuple(...shape.parts.map(valid))
    case 'record':
      return fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), valid(shape.of), {
        maxKeys: 4,
        noNullPrototype: true,
      })
    case 'union':
      return fc.oneof(...shape.options.map(valid))
    case 'object':
      return validObject(shape)
  }
}

function validObject({ fields }: ObjectShape): fc.Arbitrary<unknown> {
  const requiredKeys = fields.filter(({ isOptional }) => !isOptional).map(({ name }) => name)
  const model = Object.fromEntries(fields.map(({ name, shape }) => [name, valid(shape)]))
  return fc.record(model, { requiredKeys, noNullPrototype: true })
}

/** Values with one fault: at the top, or in one part of a value that fits otherwise. Some may fit nevertheless. */
export function faulty(shape: Shape): fc.Arbitrary<Faulty> {
  const atTop = ANYTHING.map((value): Faulty => ({ value, path: [] }))
  const deeper = [...boundsOf(shape), ...partsOf(shape)]
  return deeper.length === 0 ? atTop : fc.oneof(atTop, ...deeper)
}

/** Just outside of what is allowed. */
function boundsOf(shape: Shape): fc.Arbitrary<Faulty>[] {
  const here = (values: fc.Arbitrary<unknown>): fc.Arbitrary<Faulty> =>
    values.map((value) => ({ value, path: [] }))
  switch (shape.kind) {
    case 'string': {
      const long = fc.string({ minLength: shape.max + 1, maxLength: shape.max + 3 })
      return [here(long), ...(shape.min > 0 ? [here(fc.string({ maxLength: shape.min - 1 }))] : [])]
    }
    case 'number': {
      const outside = fc.constantFrom(shape.min - 1, shape.max + 1, shape.min - 0.5, -1e300, 1e300)
      return [here(shape.isInteger ? fc.oneof(outside, fc.constant(Math.ceil(shape.min) + 0.5)) : outside)]
    }
    case 'array': {
      const lengths = { minLength: shape.max + 1, maxLength: shape.max + 3 }
      const few = shape.min > 0 ? [here(fc.array(valid(shape.of), { maxLength: shape.min - 1 }))] : []
      return [here(fc.array(valid(shape.of), lengths)), ...few]
    }
    case 'tuple': {
      const whole = fc.tuple(...shape.parts.map(valid))
      return [here(whole.map((parts) => parts.slice(1))), here(whole.map((parts) => [...parts, 0]))]
    }
    default:
      return []
  }
}

/** A fault in one part. */
function partsOf(shape: Shape): fc.Arbitrary<Faulty>[] {
  switch (shape.kind) {
    case 'array':
      return shape.max > 0 ? [faultyElement(shape)] : []
    case 'tuple':
      return shape.parts.map((part, index) =>
        within(fc.tuple(...shape.parts.map(valid)), faulty(part), (list, value) => [
          list.with(index, value),
          index,
        ]),
      )
    case 'record':
      return [
        within(valid(shape), faulty(shape.of), (record, value) => [
          { ...(record as object), key: value },
          'key',
        ]),
      ]
    case 'union':
      // Which option a path is about is the library's to say.
      return shape.options.map((option) => faulty(option).map(({ value }) => ({ value, path: [] })))
    case 'object':
      return faultyFields(shape)
    default:
      return []
  }
}

function faultyElement(shape: Extract<Shape, { kind: 'array' }>): fc.Arbitrary<Faulty> {
  const whole = fc.array(valid(shape.of), { minLength: Math.max(shape.min, 1), maxLength: shape.max })
  const parts = fc.tuple(whole, fc.nat())
  return within(parts, faulty(shape.of), ([list, number], value) => {
    const index = number % list.length
    return [list.with(index, value), index]
  })
}

function faultyFields(shape: ObjectShape): fc.Arbitrary<Faulty>[] {
  const whole = validObject(shape) as fc.Arbitrary<Record<string, unknown>>
  const extra = within(whole, faulty({ kind: 'null' }), (value, added) => [
    { ...value, unknown: added },
    'unknown',
  ])
  return [...(shape.isStrict ? [extra] : []), ...shape.fields.flatMap((field) => faultyField(whole, field))]
}

function faultyField(
  whole: fc.Arbitrary<Record<string, unknown>>,
  { name, shape, isOptional }: Field,
): fc.Arbitrary<Faulty>[] {
  const missing = whole.map((value): Faulty => {
    const { [name]: _, ...rest } = value
    return { value: rest, path: [name] }
  })
  const wrong = within(whole, faulty(shape), (value, part) => [{ ...value, [name]: part }, name])
  return isOptional ? [wrong] : [missing, wrong]
}

/** Puts a faulty part into a whole. @param put gives the new whole and where the part is in it */
function within<Whole>(
  whole: fc.Arbitrary<Whole>,
  part: fc.Arbitrary<Faulty>,
  put: (whole: Whole, value: unknown) => readonly [value: unknown, key: string | number],
): fc.Arbitrary<Faulty> {
  return fc.tuple(whole, part).map(([one, { value, path }]) => {
    const [all, key] = put(one, value)
    return { value: all, path: [key, ...path] }
  })
}

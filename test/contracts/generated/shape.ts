/**
 * A description of JSON values that no schema library knows: schemas, valid values and faulty ones are all made of it, so
 * that no library judges itself.
 */

/** What a value has to be. */
export type Shape =
  | { readonly kind: 'string'; readonly min: number; readonly max: number }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly isInteger: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'null' }
  | { readonly kind: 'literal'; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'array'; readonly of: Shape; readonly min: number; readonly max: number }
  | { readonly kind: 'tuple'; readonly parts: readonly Shape[] }
  | { readonly kind: 'object'; readonly fields: readonly Field[]; readonly isStrict: boolean }
  | { readonly kind: 'record'; readonly of: Shape }
  | { readonly kind: 'union'; readonly options: readonly Shape[] }

/** A field of an object. */
export interface Field {
  readonly name: string
  readonly shape: Shape
  readonly isOptional: boolean
}

/** Where in a value something is. */
export type Path = readonly (string | number)[]

/**
 * How a value is judged where libraries differ: a strict judge accepts what all of them accept, a lenient one what one of
 * them accepts. Whether a list is an object, and whether a length counts UTF-16 units or code points, is theirs to say.
 */
export type Judge = 'strict' | 'lenient'

/** Whether a value is what a shape says. Written from the words above, and used to check all that is made of them. */
export function fits(shape: Shape, value: unknown, judge: Judge): boolean {
  switch (shape.kind) {
    case 'string':
      return typeof value === 'string' && fitsLength(shape, value, judge)
    case 'number':
      return typeof value === 'number' && fitsNumber(shape, value)
    case 'boolean':
      return value === true || value === false
    case 'null':
      return value === null
    case 'literal':
      return shape.values.some((one) => one === value)
    case 'union':
      return shape.options.some((option) => fits(option, value, judge))
    case 'array':
    case 'tuple':
      return Array.isArray(value) && fitsList(shape, value, judge)
    default:
      return isObject(value, judge) && fitsFields(shape, new Map(Object.entries(value)), judge)
  }
}

type Kind<Name extends Shape['kind']> = Extract<Shape, { kind: Name }>

function fitsLength({ min, max }: Kind<'string'>, value: string, judge: Judge): boolean {
  const verdicts = [value.length, [...value].length].map((length) => length >= min && length <= max)
  return judge === 'strict' ? verdicts.every(Boolean) : verdicts.some(Boolean)
}

function fitsNumber({ min, max, isInteger }: Kind<'number'>, value: number): boolean {
  return value >= min && value <= max && (!isInteger || Number.isInteger(value))
}

function fitsList(shape: Kind<'array' | 'tuple'>, list: readonly unknown[], judge: Judge): boolean {
  if (shape.kind === 'array') {
    const { of, min, max } = shape
    return list.length >= min && list.length <= max && list.every((one) => fits(of, one, judge))
  }
  const { parts } = shape
  return list.length === parts.length && parts.every((part, index) => fits(part, list[index], judge))
}

function isObject(value: unknown, judge: Judge): value is object {
  return typeof value === 'object' && value !== null && (judge === 'lenient' || !Array.isArray(value))
}

function fitsFields(
  shape: Kind<'object' | 'record'>,
  value: ReadonlyMap<string, unknown>,
  judge: Judge,
): boolean {
  if (shape.kind === 'record') return [...value.values()].every((one) => fits(shape.of, one, judge))
  const known = new Set(shape.fields.map(({ name }) => name))
  // Of a list, the libraries that take it for an object do not look at what is in it.
  const isKnown = [...value.keys()].every(
    (name) => known.has(name) || (judge === 'lenient' && /^\d+$/.test(name)),
  )
  if (shape.isStrict && !isKnown) return false
  return shape.fields.every(({ name, shape: of, isOptional }) =>
    value.has(name) ? fits(of, value.get(name), judge) : isOptional,
  )
}

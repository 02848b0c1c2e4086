import { formatCheck } from './formats.js'
import { canonical, isMultiple, isObject, lengthOf } from './json-value.js'
import type { Check } from './validation-run.js'

/** Makes the check of a keyword out of its value. */
export type CheckMaker = (value: never) => Check | undefined

const TYPES: { readonly [type: string]: (value: unknown) => boolean } = {
  string: (value) => typeof value === 'string',
  number: (value) => Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  object: isObject,
  array: Array.isArray,
  null: (value) => value === null,
}

/**
 * Keywords of single values. Each says something of one type only, and accepts values of others.
 */
export const VALUE_KEYWORDS: { readonly [keyword: string]: CheckMaker } = {
  type: (types: string | readonly string[]) => {
    const names = typeof types === 'string' ? [types] : types
    const tests = names.map((name) => TYPES[name] ?? (() => false))
    const message = `has to be of type ${names.join(' or ')}`
    return (value, run) => tests.some((test) => test(value)) || run.fail(message)
  },
  enum: (values: readonly unknown[]) => oneOfValues(values, 'has to be one of the values of its enum'),
  const: (value: unknown) => oneOfValues([value], 'has to be the value of its const'),
  minimum: (limit: number) => forNumber((value) => value >= limit, `has to be at least ${limit}`),
  maximum: (limit: number) => forNumber((value) => value <= limit, `has to be at most ${limit}`),
  exclusiveMinimum: (limit: number) => forNumber((value) => value > limit, `has to be above ${limit}`),
  exclusiveMaximum: (limit: number) => forNumber((value) => value < limit, `has to be below ${limit}`),
  multipleOf: (divisor: number) =>
    forNumber((value) => isMultiple(value, divisor), `has to be a multiple of ${divisor}`),
  minLength: (limit: number) =>
    forText((text) => text.length >= limit && lengthOf(text) >= limit, `has to be at least ${limit} long`),
  maxLength: (limit: number) =>
    forText((text) => text.length <= limit || lengthOf(text) <= limit, `has to be at most ${limit} long`),
  pattern: (pattern: string) => {
    const expression = patternOf(pattern)
    return forText((text) => expression.test(text), 'has to match its pattern')
  },
  format: (format: string) => {
    const check = formatCheck(format)
    if (!check) return undefined
    const message = `has to have the format ${format}`
    return check.of === 'text' ? forText(check.test, message) : forNumber(check.test, message)
  },
}

function forText(test: (text: string) => boolean, message: string): Check {
  return (value, run) => typeof value !== 'string' || test(value) || run.fail(message)
}

function forNumber(test: (value: number) => boolean, message: string): Check {
  return (value, run) => typeof value !== 'number' || test(value) || run.fail(message)
}

function oneOfValues(values: readonly unknown[], message: string): Check {
  const texts = new Set(values.map(canonical))
  return (value, run) => texts.has(canonical(value)) || run.fail(message)
}

/**
 * The regular expression of a pattern: in Unicode mode, as JSON Schema advises, so that `\p{L}` is
 * a letter and `.` a character. Patterns that this mode refuses are read without it.
 */
export function patternOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'u')
  } catch {
    return new RegExp(pattern)
  }
}

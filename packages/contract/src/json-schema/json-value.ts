/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: unknown
}

/**
 * Whether a value is an object as JSON has it: no list, and nothing that travels as something else,
 * such as a `Date`.
 */
export function isObject(value: unknown): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !('toJSON' in value && typeof value.toJSON === 'function')
}

/** The names of the properties that travel: those that are not `undefined`. */
export function namesOf(value: JsonObject): readonly string[] {
  return Object.keys(value).filter((name) => value[name] !== undefined)
}

/** Whether a property is there and travels. Inherited names are not. */
export function has(value: JsonObject, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined
}

/**
 * A text that is the same for equal JSON values, whatever the order of their properties, and
 * differs for others.
 */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return typeof value === 'string' ? quoted(value) : String(value)
  const entries = [...namesOf(value)].sort().map((name) => `${quoted(name)}:${canonical(value[name])}`)
  return `{${entries.join(',')}}`
}

/**
 * Texts are told from numbers and literals by the quote, from one another by the length before it.
 */
function quoted(text: string): string {
  return `${text.length}"${text}"`
}

/** How many characters a text has; two units of UTF-16 may be one. */
export function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length += 1
  return length
}

/** Whether a number divides by another as decimals: 0.3 is a multiple of 0.1. */
export function isMultiple(value: number, divisor: number): boolean {
  if (Number.isInteger(value) && Number.isInteger(divisor)) return value % divisor === 0
  const [a, aExponent] = decimal(value)
  const [b, bExponent] = decimal(divisor)
  const exponent = Math.min(aExponent, bExponent)
  return scaled(a, aExponent - exponent) % scaled(b, bExponent - exponent) === 0n
}

function scaled(digits: bigint, exponent: number): bigint {
  return digits * 10n ** BigInt(exponent)
}

function decimal(value: number): readonly [digits: bigint, exponent: number] {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  return [BigInt(whole + fraction), Number(exponent) - fraction.length]
}

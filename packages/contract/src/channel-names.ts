import { NAME_LIMITS, RpcError, refusal } from '@token-socket/protocol'

/** The values of a channel's parameters, by name. */
export type ParameterValues = Readonly<Record<string, string | number>>

/** A channel's name, read. */
export interface ParsedChannel {
  /** The pattern of the contract that the name belongs to. */
  readonly pattern: string
  /** The values of the pattern's parameters. */
  readonly parameters: Readonly<Record<string, string>>
}

/** A parameter of a pattern, and the text between it and the next one. */
interface Part {
  readonly name: string
  readonly after: string
}

/** A channel's pattern, such as `room-{id}`. */
interface ChannelPattern {
  readonly pattern: string
  readonly before: string
  readonly parts: readonly Part[]
  /** How many characters are not a parameter's. */
  readonly fixed: number
  /** What names look like. A parameter ends at the first character of what follows, so that there is nothing to try again. */
  readonly shape: RegExp
}

/** The text before a pattern's first parameter, and the parameters. */
export function splitPattern(pattern: string): { readonly before: string; readonly parts: readonly Part[] } {
  const [before = '', ...others] = pattern.split(/\{([A-Za-z]\w*)\}/)
  const parts: Part[] = []
  for (let at = 0; at < others.length; at += 2) {
    parts.push({ name: others[at] as string, after: others[at + 1] as string })
  }
  return { before, parts }
}

/**
 * The channels of a contract: their names, and which pattern a name belongs to. In a name, letters, digits and `_ . ~ -` of a
 * parameter stay as they are, except the character that follows the parameter in the pattern; everything else is `%` and
 * hexadecimal UTF-8. So a name has one reading only, which takes time in proportion to its length.
 */
export class ChannelNames {
  /** Those with the most fixed characters first. */
  readonly #patterns: readonly ChannelPattern[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compile).sort((a, b) => b.fixed - a.fixed)
  }

  /**
   * The name of a channel.
   * @throws RpcError `bad_message` for a pattern that is not the contract's, for a parameter that is missing or empty, and
   *   for parameters that make the name of another pattern; `too_long`
   */
  format(pattern: string, values: ParameterValues = {}): string {
    const channel = this.#patterns.find((one) => one.pattern === pattern)
    if (!channel) throw wrong('channel', `the contract has no channel ${pattern}`)
    const name = write(channel, values)
    const found = this.parse(name)?.pattern
    if (found !== pattern) throw wrong('channel', `${name} is a channel of ${found}`)
    return name
  }

  /**
   * Which pattern a name belongs to. Of several, the one with the most characters that are not a parameter's, and of those the
   * first in the contract. @returns `undefined` if the name is not one of the contract's
   */
  parse(name: string): ParsedChannel | undefined {
    for (const channel of this.#patterns) {
      const parameters = read(channel, name)
      if (parameters) return { pattern: channel.pattern, parameters }
    }
    return undefined
  }
}

function compile(pattern: string): ChannelPattern {
  const { before, parts } = splitPattern(pattern)
  const texts = parts.map(
    ({ after }) => `(${after ? `[^${quote(after.charAt(0))}]` : '[\\s\\S]'}+)${quote(after)}`,
  )
  const shape = new RegExp(`^${quote(before)}${texts.join('')}$`)
  const fixed = parts.reduce((length, { after }) => length + after.length, before.length)
  return { pattern, before, parts, fixed, shape }
}

function quote(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&')
}

/** Names that are spelt otherwise (`%61` for `a`) are other channels. @returns the parameters */
function read(channel: ChannelPattern, name: string): Readonly<Record<string, string>> | undefined {
  const [whole, ...values] = channel.shape.exec(name) ?? []
  if (whole === undefined) return undefined
  try {
    const entries = channel.parts.map(({ name }, at) => [name, decodeURIComponent(values[at] as string)])
    const parameters = Object.fromEntries(entries)
    return write(channel, parameters) === name ? parameters : undefined
  } catch {
    return undefined
  }
}

/** @throws RpcError `bad_message`, which names the parameter; `too_long` */
function write({ before, parts }: ChannelPattern, values: ParameterValues): string {
  const name = parts.reduce((text, part) => text + encode(part, values) + part.after, before)
  return checkLength('channel', name)
}

function encode({ name, after }: Part, values: ParameterValues): string {
  const value = Object.hasOwn(values, name) ? values[name] : ''
  if (typeof value === 'number' ? !Number.isFinite(value) : typeof value !== 'string' || value === '')
    throw wrong(name, 'a parameter of a channel has to be text that is not empty, or a number')
  // Long before that the name is too long; the limit bounds the work.
  const text = checkLength(name, String(value))
  const kept = '.~-'.replace(after.charAt(0), '')
  try {
    return encodeURIComponent(text).replace(/[!'()*.~-]/g, (one) => (kept.includes(one) ? one : hex(one)))
  } catch {
    throw wrong(name, 'a parameter of a channel has to be well-formed text')
  }
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function checkLength(field: string, text: string): string {
  const limit = NAME_LIMITS.channel
  if (text.length > limit) throw refusal('too_long', { field, limit })
  return text
}

function wrong(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${field}: ${what}`, { field })
}

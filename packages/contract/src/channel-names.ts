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

/** The text before a pattern's first parameter, and the parameters. */
export function splitPattern(pattern: string): { readonly before: string; readonly parts: readonly Part[] } {
  const [before = '', ...others] = pattern.split(PARAMETER)
  const parts: Part[] = []
  for (let at = 0; at < others.length; at += 2) {
    parts.push({ name: others[at] ?? '', after: others[at + 1] ?? '' })
  }
  return { before, parts }
}

const PARAMETER = /\{([A-Za-z]\w*)\}/

/**
 * A channel's pattern: text with parameters such as `room-{id}`. In a name, letters, digits and `_ . ~ -` of a parameter stay as
 * they are, except the character that follows the parameter in the pattern; everything else is `%` and hexadecimal UTF-8. So
 * a name has one reading only, which takes time in proportion to its length.
 */
export class ChannelName {
  readonly pattern: string
  /** How many characters are not a parameter's. */
  readonly fixed: number
  readonly #before: string
  readonly #parts: readonly Part[]

  constructor(pattern: string) {
    const { before, parts } = splitPattern(pattern)
    this.pattern = pattern
    this.#before = before
    this.#parts = parts
    this.fixed = parts.reduce((length, { after }) => length + after.length, before.length)
  }

  /** @throws RpcError `bad_message`, which names the parameter; `too_long` */
  format(values: ParameterValues): string {
    const name = this.#write(values)
    const limit = NAME_LIMITS.channel
    if (name.length > limit) throw refusal('too_long', { field: 'channel', limit })
    return name
  }

  /** @returns the parameters of a name that {@link format} makes; `undefined` for any other */
  parse(name: string): Readonly<Record<string, string>> | undefined {
    if (!name.startsWith(this.#before)) return undefined
    const values: Record<string, string> = Object.create(null)
    let at = this.#before.length
    for (const part of this.#parts) {
      const end = part.after ? name.indexOf(part.after.charAt(0), at) : name.length
      if (end < 0 || !name.startsWith(part.after, end)) return undefined
      const value = decode(name.slice(at, end))
      if (!value) return undefined
      values[part.name] = value
      at = end + part.after.length
    }
    return at === name.length && this.#isWritten(name, values) ? values : undefined
  }

  /** Names that are spelt otherwise (`%61` for `a`) are other channels. */
  #isWritten(name: string, values: ParameterValues): boolean {
    try {
      return this.format(values) === name
    } catch {
      return false
    }
  }

  #write(values: ParameterValues): string {
    return this.#parts.reduce((name, part) => name + encode(part, values) + part.after, this.#before)
  }
}

/** The channels of a contract: their names, and which pattern a name belongs to. */
export class ChannelNames {
  readonly #patterns = new Map<string, ChannelName>()
  /** Those with the most fixed characters first. */
  readonly #sorted: readonly ChannelName[]

  constructor(patterns: readonly string[]) {
    for (const pattern of patterns) this.#patterns.set(pattern, new ChannelName(pattern))
    this.#sorted = [...this.#patterns.values()].sort((a, b) => b.fixed - a.fixed)
  }

  /**
   * The name of a channel.
   * @throws RpcError `bad_message` for a pattern that is not the contract's, for a parameter that is missing or empty, and
   *   for parameters that make the name of another pattern; `too_long`
   */
  format(pattern: string, values: ParameterValues = {}): string {
    const channel = this.#patterns.get(pattern)
    if (!channel) throw wrong('channel', `the contract has no channel ${pattern}`)
    const name = channel.format(values)
    const found = this.parse(name)?.pattern
    if (found !== pattern) throw wrong('channel', `${name} is a channel of ${found}`)
    return name
  }

  /**
   * Which pattern a name belongs to. Of several, the one with the most characters that are not a parameter's, and of those the
   * first in the contract. @returns `undefined` if the name is not one of the contract's
   */
  parse(name: string): ParsedChannel | undefined {
    for (const channel of this.#sorted) {
      const parameters = channel.parse(name)
      if (parameters) return { pattern: channel.pattern, parameters }
    }
    return undefined
  }
}

function encode({ name, after }: Part, values: ParameterValues): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined
  const isUsable = typeof value === 'string' ? value !== '' : Number.isFinite(value)
  if (!isUsable) throw wrong(name, 'a parameter of a channel has to be text that is not empty, or a number')
  const text = String(value)
  // Long before that the name is too long; the limit bounds the work.
  if (text.length > NAME_LIMITS.channel)
    throw refusal('too_long', { field: name, limit: NAME_LIMITS.channel })
  const end = after.charAt(0)
  try {
    return encodeURIComponent(text).replace(/[!'()*.~-]/g, (one) =>
      one === end || !'.~-'.includes(one) ? hex(one) : one,
    )
  } catch {
    throw wrong(name, 'a parameter of a channel has to be well-formed text')
  }
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function wrong(field: string, what: string): RpcError {
  return new RpcError('bad_message', `Invalid message: ${field}: ${what}`, { field })
}

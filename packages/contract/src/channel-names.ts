import { badField, badOption, errorFrom, limitError, NAME_LIMITS, RpcError } from '@token-socket/protocol'

/** The values of a channel's parameters, by name. */
export type ParameterValues = Readonly<Record<string, string | number>>

/** A channel's name, read. */
export interface ParsedChannel {
  /** The pattern of the contract that the name belongs to. */
  readonly pattern: string
  /** The values of the pattern's parameters. */
  readonly parameters: Readonly<Record<string, string>>
}

/** A channel's pattern, such as `room-{id}`. */
interface ChannelPattern {
  readonly pattern: string
  readonly pieces: readonly string[]
  /** How many characters are not a parameter's. */
  readonly fixed: number
  /**
   * Matches names of the pattern. A parameter ends at the first character of the text that follows,
   * so that there is no backtracking.
   */
  readonly shape: RegExp
}

/** A pattern's texts and its parameters in turn: `room-{id}` is `room-`, `id` and an empty text. */
export function splitPattern(pattern: string): readonly string[] {
  return pattern.split(/\{([A-Za-z]\w*)\}/)
}

/**
 * Returns a pattern with its parameters and texts replaced; `next` is the text after a parameter.
 */
function fill(
  pieces: readonly string[],
  parameter: (name: string, next: string) => string,
  text = (piece: string) => piece,
): string {
  return pieces
    .map((piece, at) => (at % 2 ? parameter(piece, pieces[at + 1] as string) : text(piece)))
    .join('')
}

/**
 * The channels of a contract: their names, and which pattern a name belongs to. In a name, letters,
 * digits and `_ . ~ -` of a parameter stay as they are, except the character that follows the
 * parameter in the pattern. Everything else is `%` and hexadecimal UTF-8. So a name can be read in
 * only one way, in linear time.
 */
export class ChannelNames {
  /** Those with the most fixed characters first. */
  readonly #patterns: readonly ChannelPattern[]

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map(compile).sort((a, b) => b.fixed - a.fixed)
  }

  /**
   * Returns the name of a channel.
   * @throws RpcError `bad_option` for parameters that are no object
   * @throws RpcError `bad_message` for a pattern that the contract does not have; for a missing or
   *   empty parameter; and for parameters that make the name of another pattern; `too_long`
   */
  format(pattern: string, values: ParameterValues = {}): string {
    if (Object(values) !== values) throw badOption('parameters', 'an object')
    const name = write(splitPattern(pattern), values)
    if (this.parse(name)?.pattern === pattern) return name
    throw new RpcError('bad_message', `${name} is not a channel of ${pattern}`, { field: 'channel' })
  }

  /**
   * Returns the pattern of a name, and its parameters. If several patterns match, it is the one
   * with the most fixed characters, and of those the first in the contract. @returns `undefined` if
   * no pattern matches
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
  const pieces = splitPattern(pattern)
  const shape = fill(pieces, (_name, next) => `([^${quote(next.charAt(0))}]+)`, quote)
  return { pattern, pieces, fixed: fill(pieces, () => '').length, shape: new RegExp(`^${shape}$`) }
}

function quote(text: string): string {
  return text.replace(/[^\w\s]/g, '\\$&')
}

/** A name in another spelling (`%61` for `a`) is another channel. @returns the parameters */
function read({ pieces, shape }: ChannelPattern, name: string): ParsedChannel['parameters'] | undefined {
  try {
    const values = shape.exec(name) as readonly string[]
    const decoded = values.slice(1).map((value, at) => [pieces[2 * at + 1], decodeURIComponent(value)])
    const parameters = Object.fromEntries(decoded)
    return write(pieces, parameters) === name ? parameters : undefined
  } catch {
    return undefined
  }
}

/** @throws RpcError `bad_message`, which names the parameter; `too_long` */
function write(pieces: readonly string[], values: ParameterValues): string {
  const encoded = (name: string, next: string) =>
    encode(name, Object.hasOwn(values, name) && values[name], next.charAt(0))
  return checkLength('channel', fill(pieces, encoded))
}

/** @param end the character that follows in the pattern */
function encode(name: string, value: unknown, end: string): string {
  // The name would be too long anyway; the limit bounds the work.
  const text = checkLength(name, typeof value === 'string' || Number.isFinite(value) ? String(value) : '')
  try {
    const encoded = encodeURIComponent(text).replace(/[!'()*.~-]/g, (one) =>
      '.~-'.replace(end, '').includes(one) ? one : `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
    )
    if (encoded) return encoded
  } catch {
    // It is no well-formed text.
  }
  throw errorFrom(badField(name, 'text').error)
}

function checkLength(field: string, text: string): string {
  const limit = NAME_LIMITS.channel
  if (text.length > limit) throw limitError('too_long', { field, limit })
  return text
}

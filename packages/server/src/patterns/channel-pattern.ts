import { NAME_LIMITS } from '@token-socket/protocol'
import { RE2JS } from 're2js'
import { BoundedCache } from '../runtime/bounded-cache.js'

/** Limits of a {@link ChannelPattern}. */
export const PATTERN_LIMITS = {
  /** UTF-16 code units of the whole text, including `#regex:`. */
  length: NAME_LIMITS.channel,
  /** Instructions that a regular expression compiles to: `x{500}` is about 500. */
  program: 500,
} as const

const REGEX = '#regex:'

/** How many compiled expressions are kept. */
const COMPILED = 500

/** The error of an invalid {@link ChannelPattern}. `message` follows the name of the field. */
export class PatternError extends Error {
  /** @param limit the limit that it exceeds, if that is the reason */
  constructor(
    message: string,
    readonly limit?: number,
  ) {
    super(message)
  }
}

/**
 * Matches names of channels or events: one name; all names that fit a text with `*`, which stands
 * for any characters or none; or `#regex:` and a regular expression in RE2's syntax, which has to
 * match the whole name.
 *
 * Matching takes time in proportion to the name's length, for every pattern: RE2 does not backtrack
 * exponentially.
 */
export class ChannelPattern {
  /** Most sockets have the same few expressions: each is compiled once for all of them. */
  static readonly #expressions = new BoundedCache(COMPILED, (expression) =>
    ChannelPattern.#compile(expression),
  )

  /** Whether it is a single name. */
  readonly isExact: boolean
  /** Instructions of its regular expression, about the cost of a match; 0 without one. */
  readonly programSize: number
  readonly #matches: (name: string) => boolean

  private constructor(isExact: boolean, programSize: number, matches: (name: string) => boolean) {
    this.isExact = isExact
    this.programSize = programSize
    this.#matches = matches
  }

  /** @throws PatternError if it is too long, no regular expression, or too large a one */
  static parse(text: string): ChannelPattern {
    if (text.length > PATTERN_LIMITS.length) throw new PatternError('is too long', PATTERN_LIMITS.length)
    if (text.startsWith(REGEX)) return ChannelPattern.#expressions.get(text.slice(REGEX.length))
    if (text.includes('*')) return new ChannelPattern(false, 0, wildcard(text))
    return new ChannelPattern(true, 0, (name) => name === text)
  }

  /** Whether it matches this name. Upper and lower case differ. */
  matches(name: string): boolean {
    return this.#matches(name)
  }

  static #compile(expression: string): ChannelPattern {
    const compiled = compile(expression)
    const programSize = compiled.programSize()
    if (programSize > PATTERN_LIMITS.program) {
      throw new PatternError('is too large a regular expression', PATTERN_LIMITS.program)
    }
    // Not `testExact`: that keeps up to 8 MB of states for each expression, which names from the
    // network could fill.
    return new ChannelPattern(false, programSize, (name) => compiled.matcher(name).matches())
  }
}

/** A dot is any character, including line breaks: otherwise one in a name would evade `admin.*`. */
function compile(expression: string): RE2JS {
  if (expression === '') throw new PatternError('has no regular expression')
  try {
    return RE2JS.compile(expression, RE2JS.DOTALL)
  } catch (cause) {
    throw new PatternError(`is no regular expression: ${(cause as Error).message}`)
  }
}

/**
 * The pieces between the stars, each at the first position where it fits: later pieces then have
 * the most room.
 */
function wildcard(text: string): (name: string) => boolean {
  const [first = '', ...pieces] = text.split('*')
  const last = pieces.pop() ?? ''
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last)) return false
    const end = name.length - last.length
    let at = first.length
    for (const piece of pieces) {
      const found = name.indexOf(piece, at)
      if (found < 0) return false
      at = found + piece.length
    }
    return at <= end
  }
}

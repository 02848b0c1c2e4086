import { ChannelPattern } from './channel-pattern.js'

/** Values by names and patterns. It finds all values whose pattern matches a name. */
export class PatternTable<Value extends object> {
  readonly #exact = new Map<string, Value>()
  readonly #patterns: (readonly [pattern: ChannelPattern, value: Value])[] = []

  /** @throws PatternError for an invalid pattern */
  constructor(entries: Iterable<readonly [text: string, value: Value]>) {
    for (const [text, value] of entries) {
      const pattern = ChannelPattern.parse(text)
      if (pattern.isExact) this.#exact.set(text, value)
      else this.#patterns.push([pattern, value])
    }
  }

  /** The names without a pattern. */
  get names(): string[] {
    return [...this.#exact.keys()]
  }

  /**
   * Returns the values whose pattern matches the name: the exact one first, then the others in
   * their order.
   */
  matching(name: string): Value[] {
    const exact = this.#exact.get(name)
    const found = exact === undefined ? [] : [exact]
    for (const [pattern, value] of this.#patterns) if (pattern.matches(name)) found.push(value)
    return found
  }
}

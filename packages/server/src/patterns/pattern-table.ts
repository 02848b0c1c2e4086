import { ChannelPattern } from './channel-pattern.js'

/** Values by names and patterns: finds all whose pattern means a name. */
export class PatternTable<Value extends object> {
  readonly #exact = new Map<string, Value>()
  readonly #patterns: (readonly [pattern: ChannelPattern, value: Value])[] = []

  /** @throws PatternError for a bad pattern */
  constructor(entries: Iterable<readonly [text: string, value: Value]>) {
    for (const [text, value] of entries) {
      const pattern = ChannelPattern.parse(text)
      if (pattern.isExact) this.#exact.set(text, value)
      else this.#patterns.push([pattern, value])
    }
  }

  /** The names that stand in it as they are. */
  get names(): string[] {
    return [...this.#exact.keys()]
  }

  /** The values whose pattern means the name: the exact one first, then the others in their order. */
  matching(name: string): Value[] {
    const exact = this.#exact.get(name)
    const found = exact === undefined ? [] : [exact]
    for (const [pattern, value] of this.#patterns) if (pattern.matches(name)) found.push(value)
    return found
  }
}

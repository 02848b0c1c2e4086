/** How many levels a value may have. */
export const MAX_DEPTH = 200

/** A value that the check refuses before it looks at the schema. Its message says what to send. */
export class Refusal extends Error {}

/**
 * Makes of a value what its receiver gets: without properties that are `undefined`, a `Date` as a
 * text. Parts that travel as they are stay uncopied.
 */
export class SentValue {
  /** The comparisons that it may take to find equal items in the lists of the value. */
  comparisons = 0
  #size = 0

  /** @throws Refusal for what JSON has no form for, and for more levels than {@link MAX_DEPTH} */
  copy(value: unknown, depth = 0): unknown {
    if (depth > MAX_DEPTH) throw new Refusal(`nested at most ${MAX_DEPTH} levels deep`)
    this.#size += 1
    if (Array.isArray(value)) return this.#list(value, depth)
    switch (typeof value) {
      case 'object':
        return value === null ? null : this.#object(value, depth)
      case 'number':
        return Number.isFinite(value) ? value : null
      case 'string':
      case 'boolean':
      case 'undefined':
        return value
      default:
        throw new Refusal('a value of JSON')
    }
  }

  #list(list: readonly unknown[], depth: number): readonly unknown[] {
    const before = this.#size
    // `from` visits the holes of a list too.
    const copied = Array.from(list, (item) => this.copy(item, depth + 1) ?? null)
    this.comparisons += list.length * (this.#size - before)
    return copied.some((item, index) => item !== list[index]) ? copied : list
  }

  #object(value: object, depth: number): unknown {
    if ('toJSON' in value && typeof value.toJSON === 'function') return this.copy(value.toJSON(), depth + 1)
    const entries = Object.entries(value)
    const copied = entries.map(([name, part]) => [name, this.copy(part, depth + 1)] as const)
    const isSame = copied.every(([, part], index) => part !== undefined && part === entries[index]?.[1])
    return isSame ? value : Object.fromEntries(copied.filter(([, part]) => part !== undefined))
  }
}

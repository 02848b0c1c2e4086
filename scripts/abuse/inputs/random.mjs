// Random choices from a seed: the same seed gives the same inputs.

/** A source of random choices (mulberry32). */
export class Random {
  #state

  constructor(seed) {
    this.#state = seed | 0
  }

  /** A source of its own for a part of the run, so that the part can be repeated alone. */
  static of(seed, ...parts) {
    let state = seed | 0
    for (const char of parts.join('/')) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193)
    return new Random(state)
  }

  /** A whole number from 0 to `below - 1`. */
  number(below) {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) % below
  }

  /** Whether something happens that happens so many times in a hundred. */
  chance(percent) {
    return this.number(100) < percent
  }

  pick(choices) {
    return choices[this.number(choices.length)]
  }

  /** A list of `least` to `most` things. */
  list(least, most, make) {
    return Array.from({ length: least + this.number(most - least + 1) }, (_, index) => make(index))
  }
}

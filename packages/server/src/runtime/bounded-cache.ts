/**
 * Remembers the values that a function makes of names, for a bounded number of names. The oldest
 * value is forgotten first: frequent names are soon made again, and a look-up costs one access to a
 * map.
 */
export class BoundedCache<Value extends object> {
  readonly #limit: number
  readonly #make: (name: string) => Value
  readonly #values = new Map<string, Value>()

  /**
   * @param limit the maximum number of names
   * @param make has to return equal values for equal names; an error is not remembered
   */
  constructor(limit: number, make: (name: string) => Value) {
    this.#limit = limit
    this.#make = make
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#values.size
  }

  /** Returns the value of the name. @throws what the function throws */
  get(name: string): Value {
    const known = this.#values.get(name)
    if (known !== undefined) return known
    const made = this.#make(name)
    const [oldest] = this.#values.size >= this.#limit ? this.#values.keys() : []
    if (oldest !== undefined) this.#values.delete(oldest)
    this.#values.set(name, made)
    return made
  }
}

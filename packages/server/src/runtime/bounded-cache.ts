/**
 * Remembers what a function made of a name, for a bounded number of names. The one that was made first is forgotten
 * first: what is asked for often is made again soon, and asking costs one look into a map.
 */
export class BoundedCache<Value extends object> {
  readonly #limit: number
  readonly #make: (name: string) => Value
  readonly #values = new Map<string, Value>()

  /**
   * @param limit how many names to remember
   * @param make has to give equal values for equal names; what it throws is not remembered
   */
  constructor(limit: number, make: (name: string) => Value) {
    this.#limit = limit
    this.#make = make
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#values.size
  }

  /** What the function makes of the name. @throws what the function throws */
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

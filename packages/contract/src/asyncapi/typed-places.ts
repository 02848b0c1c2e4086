/** Finds the schemas that got a type by the places that they stand in. */
export class TypedPlaces {
  readonly #pointers: readonly string[]
  /** The index of the first pointer at or below a place. */
  readonly #first = new Map<string, number>()

  /** @param pointers where the schemas stand, in order */
  constructor(pointers: readonly string[]) {
    this.#pointers = pointers
    for (const [index, pointer] of pointers.entries()) {
      for (let end = pointer.length; end > 0; end = pointer.lastIndexOf('/', end - 1)) {
        const folder = pointer.slice(0, end)
        if (!this.#first.has(folder)) this.#first.set(folder, index)
      }
    }
  }

  /** The first of the pointers that is at or below one of several places, or `undefined`. */
  firstWithin(places: readonly string[]): string | undefined {
    let first = Number.POSITIVE_INFINITY
    for (const place of places) first = Math.min(first, this.#first.get(place) ?? first)
    return this.#pointers[first]
  }
}

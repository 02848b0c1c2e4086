/** Counts by owner. An owner with a count of 0 takes no memory. */
export class OwnerCounts {
  readonly #counts = new Map<string, number>()

  /** How many owners have a count. */
  get size(): number {
    return this.#counts.size
  }

  /** The count of an owner. */
  of(owner: string): number {
    return this.#counts.get(owner) ?? 0
  }

  add(owner: string, amount = 1): void {
    this.#counts.set(owner, this.of(owner) + amount)
  }

  clear(): void {
    this.#counts.clear()
  }

  /** The reverse of {@link add}. */
  remove(owner: string, amount = 1): void {
    const left = this.of(owner) - amount
    if (left > 0) this.#counts.set(owner, left)
    else this.#counts.delete(owner)
  }
}

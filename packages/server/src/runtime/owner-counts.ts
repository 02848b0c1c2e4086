/** How much each owner has of something. An owner that has nothing takes no memory. */
export class OwnerCounts {
  readonly #counts = new Map<string, number>()

  /** How many owners have something. */
  get size(): number {
    return this.#counts.size
  }

  /** How much an owner has. */
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

/** What one socket may have held in all: UTF-16 code units. A single publication may go over it. */
const LIMIT = 1024 * 1024

/**
 * UTF-16 code units that a publication counts in addition to its texts: what the objects of a small
 * one take.
 */
const ENTRY = 200

/** The size of the publications that are held for one socket while its subscriptions are brought up to date, in all. */
export class HeldSize {
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether nothing may be added until something is taken away. */
  get isFull(): boolean {
    return this.#size >= LIMIT
  }

  /** Counts a publication. @returns its size, to be taken away once */
  add({ json, meta }: { readonly json: string; readonly meta?: string | undefined }): number {
    const size = ENTRY + json.length + (meta?.length ?? 0)
    this.#size += size
    return size
  }

  remove(size: number): void {
    this.#size -= size
  }
}

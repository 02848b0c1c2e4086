/** The most UTF-16 code units that are held for one socket. A single publication may exceed it. */
const LIMIT = 1024 * 1024

/** UTF-16 code units of a publication in addition to its texts: the size of its objects. */
const ENTRY = 200

/**
 * The size of all publications that are held for one socket while its subscriptions are recovered.
 */
export class HeldSize {
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether nothing may be added until something is removed. */
  get isFull(): boolean {
    return this.#size >= LIMIT
  }

  /** Counts a publication. @returns its size, to be subtracted once */
  add({ json, meta }: { readonly json: string; readonly meta?: string | undefined }): number {
    const size = ENTRY + json.length + (meta?.length ?? 0)
    this.#size += size
    return size
  }

  remove(size: number): void {
    this.#size -= size
  }
}

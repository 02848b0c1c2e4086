import type { BufferedListener } from '../socket/buffered-connection.js'

/** A connection that has brought its first message, until it is let in or turned away. */
export class PendingConnection {
  readonly #adopt: (listener: BufferedListener) => void
  #isClosed = false
  #adopter: BufferedListener | undefined
  #onclosed: (() => void)[] | undefined

  /** @param adopt makes a listener hear the connection */
  constructor(adopt: (listener: BufferedListener) => void) {
    this.#adopt = adopt
  }

  /**
   * Whether the connection has ended, or the server is about to close it: it must not be let in.
   */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Says who hears the connection from now on. One that has ended is closed at once. */
  adopt(listener: BufferedListener): void {
    this.#adopter = listener
    this.#adopt(listener)
  }

  /** Who hears the connection, once it was said. */
  get adopter(): BufferedListener | undefined {
    return this.#adopter
  }

  /**
   * Calls a function when the connection ends, adopted or not; at once if it has.
   * @param run does not throw
   */
  onclosed(run: () => void): void {
    if (this.#isClosed) return run()
    this.#onclosed ??= []
    this.#onclosed.push(run)
  }

  /** The connection has ended, or is about to be closed. Harmless when called again. */
  close(): void {
    this.#isClosed = true
    const runs = this.#onclosed ?? []
    this.#onclosed = undefined
    for (const run of runs) run()
  }

  /** It was let in or turned away: what waits for its end is forgotten. */
  settle(): void {
    this.#onclosed = undefined
  }
}

import type { BufferedListener } from '../socket/buffered-connection.js'

/** A connection that has sent its first message, until it is authenticated or refused. */
export class PendingConnection {
  readonly #adopt: (listener: BufferedListener) => void
  #isClosed = false
  #adopter: BufferedListener | undefined
  #onclosed: (() => void)[] | undefined

  /** @param adopt sets the connection's listener */
  constructor(adopt: (listener: BufferedListener) => void) {
    this.#adopt = adopt
  }

  /**
   * Whether the connection has ended, or the server is about to close it: it must not be
   * authenticated.
   */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Sets the connection's listener. If the connection has ended, the listener is notified at once.
   */
  adopt(listener: BufferedListener): void {
    this.#adopter = listener
    this.#adopt(listener)
  }

  /** The connection's listener, once it is set. */
  get adopter(): BufferedListener | undefined {
    return this.#adopter
  }

  /**
   * Calls a function when the connection ends, whether it has a listener or not; at once if it has
   * ended.
   * @param run does not throw
   */
  onclosed(run: () => void): void {
    if (this.#isClosed) return run()
    this.#onclosed ??= []
    this.#onclosed.push(run)
  }

  /** The connection has ended, or is about to be closed. Does nothing if called again. */
  close(): void {
    this.#isClosed = true
    const runs = this.#onclosed ?? []
    this.#onclosed = undefined
    for (const run of runs) run()
  }

  /** The connection was authenticated or refused: forgets the functions of {@link onclosed}. */
  settle(): void {
    this.#onclosed = undefined
  }
}

/** Work for other nodes that these nodes can cancel, by an id that the calling node has chosen. */
export class CancellableCalls {
  readonly #controllers = new Map<string, AbortController>()

  /** Runs work whose signal aborts when it is cancelled. Without an id it runs without a signal. */
  async run<T>(id: string | undefined, work: (signal: AbortSignal | undefined) => Promise<T>): Promise<T> {
    if (id === undefined) return work(undefined)
    const controller = new AbortController()
    this.#controllers.set(id, controller)
    try {
      return await work(controller.signal)
    } finally {
      this.#controllers.delete(id)
    }
  }

  /** Cancels work. Does nothing if it has ended, or never existed. */
  cancel(id: string): void {
    this.#controllers.get(id)?.abort()
  }
}

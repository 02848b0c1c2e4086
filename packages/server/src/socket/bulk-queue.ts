/** Tasks of one socket that run at once: each may wait for the engine. */
const AT_ONCE = 8

/**
 * Runs the tasks that make bulk for one socket, such as pages of a history and lists of members, in the order in which
 * they came. A task starts when the reader has caught up and fewer than eight others run: bulk is made as fast as the
 * reader reads, and no faster.
 */
export class BulkQueue {
  readonly #isCaughtUp: () => boolean
  #waiting: (() => void)[] = []
  #running = 0
  #isOver = false

  /** @param isCaughtUp if it returns `false`, {@link resume} has to be called once the reader has caught up */
  constructor(isCaughtUp: () => boolean) {
    this.#isCaughtUp = isCaughtUp
  }

  /** Runs a task when its turn has come, or at once after {@link end}. Resolves or rejects as the task does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting.length === 0 && this.#mayStart()) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      this.#running -= 1
      this.resume()
    }
  }

  /** Starts what may start now. */
  resume(): void {
    while (this.#waiting.length > 0 && this.#mayStart()) {
      this.#running += 1
      this.#waiting.shift()?.()
    }
  }

  /** The socket is gone: what waits starts now, and finds nothing to do. */
  end(): void {
    this.#isOver = true
    this.resume()
  }

  #mayStart(): boolean {
    return this.#isOver || (this.#running < AT_ONCE && this.#isCaughtUp())
  }
}

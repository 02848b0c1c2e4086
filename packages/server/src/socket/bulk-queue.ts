/** Tasks of one socket that run at once: each may wait for the engine. */
const AT_ONCE = 8

/** The reader of what a {@link BulkQueue} makes. */
export interface BulkReader {
  /** If it returns `false`, {@link BulkQueue.resume} has to be called once the reader has caught up. */
  isCaughtUp(): boolean
}

/**
 * Runs the tasks that make bulk for one socket, such as pages of a history and lists of members, in the order in which
 * they came. A task starts when the reader has caught up and fewer than eight others run: bulk is made as fast as the
 * reader reads, and no faster.
 */
export class BulkQueue {
  readonly #reader: BulkReader
  /** Created when a task has to wait. */
  #waiting: (() => void)[] | undefined
  #running = 0
  #isOver = false

  constructor(reader: BulkReader) {
    this.#reader = reader
  }

  /** Runs a task when its turn has come, or at once after {@link end}. Resolves or rejects as the task does. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (!this.#waiting?.length && this.#mayStart()) this.#running += 1
    else await this.#turn()
    try {
      return await task()
    } finally {
      this.#running -= 1
      this.resume()
    }
  }

  /** Starts what may start now. */
  resume(): void {
    while (this.#waiting?.length && this.#mayStart()) {
      this.#running += 1
      this.#waiting.shift()?.()
    }
  }

  /** The socket is gone: what waits starts now, and finds nothing to do. */
  end(): void {
    this.#isOver = true
    this.resume()
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting ??= []
      this.#waiting.push(resolve)
    })
  }

  #mayStart(): boolean {
    return this.#isOver || (this.#running < AT_ONCE && this.#reader.isCaughtUp())
  }
}

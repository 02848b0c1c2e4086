/** Tasks of one socket that run at once: each may wait for the engine. */
const AT_ONCE = 8

/** The reader of the messages that tasks of a {@link BulkQueue} make. */
export interface BulkReader {
  /**
   * If it returns `false`, {@link BulkQueue.resume} has to be called once the reader has caught up.
   */
  isCaughtUp(): boolean
}

/**
 * Runs the tasks that produce large answers for one socket, such as pages of history and lists of
 * members, in order. A task starts when the reader has caught up and fewer than eight others run:
 * large answers are made as fast as the reader reads.
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

  /** Runs a task when its turn has come, or at once after {@link end}. Settles as the task does. */
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

  /** Starts the tasks that may start now. */
  resume(): void {
    while (this.#waiting?.length && this.#mayStart()) {
      this.#running += 1
      this.#waiting.shift()?.()
    }
  }

  /** The socket has ended: waiting tasks start now, and find nothing to do. */
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

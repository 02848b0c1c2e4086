/** What an end of a contract was sent. */
export interface ReceivedMessage {
  /** The operation's dotted name. */
  readonly operation: string
  /** What its handler gets: checked, and after the schema's transforms. */
  readonly input: unknown
}

/** What arrived, in order, and promises of what has not arrived yet. */
export class ReceivedMessages {
  readonly #all: ReceivedMessage[] = []
  /** By operation: what no one has waited for, and who waits. */
  readonly #untaken = new Map<string, unknown[]>()
  readonly #waiting = new Map<string, ((input: unknown) => void)[]>()

  /** Everything so far, oldest first. */
  get all(): readonly ReceivedMessage[] {
    return this.#all
  }

  /** Something arrived. */
  add(operation: string, input: unknown): void {
    this.#all.push({ operation, input })
    const wanted = this.#waiting.get(operation)?.shift()
    if (wanted) wanted(input)
    else listAt(this.#untaken, operation).push(input)
  }

  /** The oldest input of an operation that this has not given before, or the one that comes next. */
  next(operation: string): Promise<unknown> {
    const untaken = listAt(this.#untaken, operation)
    if (untaken.length > 0) return Promise.resolve(untaken.shift())
    return new Promise((resolve) => listAt(this.#waiting, operation).push(resolve))
  }

  /** Forgets everything that arrived. */
  clear(): void {
    this.#all.length = 0
    this.#untaken.clear()
  }
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

import { markHandled, RpcError } from '@token-socket/protocol'

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
  readonly #waiting = new Map<string, PendingMessage[]>()

  /** Everything so far, oldest first. */
  get all(): readonly ReceivedMessage[] {
    return this.#all
  }

  /** Something arrived. */
  add(operation: string, input: unknown): void {
    this.#all.push({ operation, input })
    const wanted = this.#waiting.get(operation)?.shift()
    if (wanted) wanted.resolve(input)
    else listAt(this.#untaken, operation).push(input)
  }

  /**
   * The oldest input of an operation that this has not given before, or the one that comes next.
   * @throws RpcError `ended`, or rejects with it, when {@link end} comes first
   */
  next(operation: string): Promise<unknown> {
    const untaken = listAt(this.#untaken, operation)
    if (untaken.length > 0) return Promise.resolve(untaken.shift())
    return markHandled(
      new Promise((resolve, reject) => listAt(this.#waiting, operation).push({ resolve, reject })),
    )
  }

  /** Nothing comes any more: what waits for it fails with `ended`. */
  end(): void {
    this.#giveUp('closed')
  }

  /** Forgets everything that arrived. What waits for something fails with `ended`. */
  clear(): void {
    this.#all.length = 0
    this.#untaken.clear()
    this.#giveUp('reset')
  }

  #giveUp(how: string): void {
    for (const [operation, waiters] of this.#waiting) {
      const text = `The mock was ${how} before ${operation} came`
      for (const { reject } of waiters.splice(0)) reject(new RpcError('ended', text, { function: operation }))
    }
  }
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

/** A promise of what has not arrived yet. */
interface PendingMessage {
  resolve(input: unknown): void
  reject(error: RpcError): void
}

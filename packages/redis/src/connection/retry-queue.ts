import { limitError, RpcError, startTimeout } from '@token-socket/protocol'
import { isPassing } from './refusals.js'

/** Dependencies of a {@link RetryQueue}. */
export interface WaitingLineOwner {
  /** How many tasks may wait. */
  readonly limit: number
  /** Milliseconds after which a task is not tried again. */
  readonly time: number
  /** Returns whether Redis can be reached. */
  isReady(): boolean
}

/** A task that waits for its turn. */
interface Task {
  /** Its position among all tasks so far. */
  readonly place: number
  /** By `performance.now()`. */
  readonly deadline: number
  /** Runs it. */
  attempt(): void
  fail(error: unknown): void
}

/** Milliseconds between two checks of the waiting tasks. */
const LOOK = 100

/**
 * The tasks that could not be sent to Redis, in the order of the calls. While any of them wait,
 * later ones wait behind them. Then all are sent at once, in order, on one connection. A task is
 * tried again although its first attempt may have been executed: the task has to be repeatable.
 */
export class RetryQueue {
  readonly #owner: WaitingLineOwner
  #waiting: Task[] = []
  #places = 0
  #isClosed = false
  #stopTimer: (() => void) | undefined

  constructor(owner: WaitingLineOwner) {
    this.#owner = owner
  }

  /**
   * @throws RpcError `queue_full`; `engine_unavailable` if its time is over, or the queue is closed
   */
  run<T>(task: () => Promise<T>): Promise<T> {
    const { limit, time } = this.#owner
    if (this.#waiting.length >= limit) {
      return Promise.reject(limitError('queue_full', { field: 'waitingPublications', limit }))
    }
    return new Promise((resolve, fail) => {
      const attempt = () => void task().then(resolve, (error) => this.#failed(own, error))
      const own: Task = { place: ++this.#places, deadline: performance.now() + time, attempt, fail }
      if (this.#waiting.length > 0) this.#put(own)
      else attempt()
    })
  }

  /** Redis may be connected again: tries all waiting tasks. */
  flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { attempt } of waiting) attempt()
  }

  /** Rejects all waiting tasks. */
  close(): void {
    this.#isClosed = true
    this.#stopTimer?.()
    const error = new RpcError('engine_unavailable', undefined, undefined, new Error('the engine was closed'))
    for (const { fail } of this.#waiting.splice(0)) fail(error)
  }

  #failed(task: Task, error: unknown): void {
    const isFinal = !isPassing(error instanceof Error ? (error.cause ?? error) : error)
    const isOver = this.#isClosed || performance.now() >= task.deadline
    // Many may have been under way when the connection was lost: only as many as the limit can
    // wait.
    if (isFinal || isOver || this.#waiting.length >= this.#owner.limit) task.fail(error)
    else this.#put(task)
  }

  #put(task: Task): void {
    const before = this.#waiting.findLastIndex(({ place }) => place < task.place)
    this.#waiting.splice(before + 1, 0, task)
    this.#stopTimer ??= startTimeout(LOOK, () => this.#look())
  }

  #look(): void {
    this.#stopTimer = undefined
    const now = performance.now()
    const late = this.#waiting.filter(({ deadline }) => deadline <= now)
    this.#waiting = this.#waiting.filter(({ deadline }) => deadline > now)
    const cause = new Error(`Redis was away for ${this.#owner.time} ms`)
    for (const { fail } of late) fail(new RpcError('engine_unavailable', undefined, undefined, cause))
    if (this.#owner.isReady()) this.flush()
    if (this.#waiting.length > 0) this.#stopTimer ??= startTimeout(LOOK, () => this.#look())
  }
}

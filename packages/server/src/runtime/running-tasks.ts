/**
 * Asynchronous tasks in progress. Each has a state object, which other code can access until the
 * task has settled.
 */
export class RunningTasks<State> {
  readonly #create: () => State
  readonly #states = new Set<State>()

  /** @param create makes the state of a task */
  constructor(create: () => State) {
    this.#create = create
  }

  /** How many tasks run. */
  get size(): number {
    return this.#states.size
  }

  /**
   * The states of the running tasks in the order of their start. A copy, since a task may end
   * meanwhile.
   */
  get states(): readonly State[] {
    return [...this.#states]
  }

  /**
   * Runs a task. Its state counts until the task has settled, or has called `leave`. Settles as the
   * task does.
   */
  async run<T>(task: (state: State, leave: () => void) => Promise<T>): Promise<T> {
    const state = this.#create()
    this.#states.add(state)
    const leave = () => void this.#states.delete(state)
    try {
      return await task(state, leave)
    } finally {
      leave()
    }
  }
}

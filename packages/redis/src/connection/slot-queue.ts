/**
 * The outcome of an operation. `taken`: the slot's primary executed it. `moved`: another Redis did,
 * and has the slot now. `elsewhere`: the slot is still being moved.
 */
export type SlotOutcome = 'taken' | 'moved' | 'elsewhere'

/** An operation on one slot of a cluster. */
export interface SlotTask {
  /** Runs it, follows its redirections, and settles it. */
  insist(): Promise<SlotOutcome>
  /** Calls it again from the start. */
  again(): void
}

/**
 * This many `taken` in a row mean that the slot stays: while it moves, operations on some of its
 * keys are still `taken`.
 */
const STREAK = 16

/**
 * The operations on one slot of a cluster, from the first redirected one until the slot has a
 * primary again. They run one after the other, in the order of the calls. Those that were under way
 * with the first come before those that were called later.
 */
export class SlotQueue {
  readonly #sent: SlotTask[] = []
  readonly #later: SlotTask[] = []
  readonly #onend: () => void

  /**
   * @param answered resolves when everything under way is answered
   * @param onend called when the queue is empty, and before the rest is called again
   */
  constructor(answered: Promise<unknown>, onend: () => void) {
    this.#onend = onend
    void answered.then(() => this.#run())
  }

  /** Adds an operation that was under way, and was redirected too. */
  addSent(task: SlotTask): void {
    this.#sent.push(task)
  }

  /** Adds a new operation. */
  add(task: SlotTask): void {
    this.#later.push(task)
  }

  async #run(): Promise<void> {
    for (let streak = 0; streak < STREAK; ) {
      const task = this.#sent.shift() ?? this.#later.shift()
      if (!task) break
      const outcome = await task.insist()
      if (outcome === 'moved') break
      streak = outcome === 'taken' ? streak + 1 : 0
    }
    this.#onend()
    for (const task of [...this.#sent, ...this.#later]) task.again()
  }
}

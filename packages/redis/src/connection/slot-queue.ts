/**
 * What became of an operation: the slot's primary took it, after all; another Redis did, for the slot is its own now; or it
 * is neither here nor there yet.
 */
export type SlotOutcome = 'taken' | 'moved' | 'elsewhere'

/** Something about one slot of a cluster. */
export interface SlotTask {
  /** Carries it out, wherever it is sent, and settles it. */
  insist(): Promise<SlotOutcome>
  /** Asks for it anew, as if it had not been asked for. */
  again(): void
}

/** As many that were taken one after the other say that the slot stays where it is: while it moves, those about some keys are. */
const STREAK = 16

/**
 * Operations about one slot of a cluster, from the first that its primary sent elsewhere until the slot has a place again:
 * carried out one after the other, in the order in which they were asked for. Those that were under way with the first
 * come before those that were asked for later.
 */
export class SlotQueue {
  readonly #sent: SlotTask[] = []
  readonly #later: SlotTask[] = []
  readonly #onend: () => void

  /**
   * @param answered resolves when all that was under way has its answer
   * @param onend called when nothing is left, and before what is left is asked for anew
   */
  constructor(answered: Promise<unknown>, onend: () => void) {
    this.#onend = onend
    void answered.then(() => this.#run())
  }

  /** Adds one that was under way, and has been sent elsewhere too. */
  addSent(task: SlotTask): void {
    this.#sent.push(task)
  }

  /** Adds one that is asked for now. */
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

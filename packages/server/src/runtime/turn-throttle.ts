import { eventLoop } from './event-loop.js'

/** How many tasks run in one turn of the event loop. Each costs some 0.1 to 0.5 ms. */
const PER_TURN = 32

/** Milliseconds of work in one turn after which the other tasks wait. One task may take longer. */
const WORK = 8

/**
 * Runs a few tasks of new clients in each turn of the event loop, so that a burst of reconnecting
 * clients, such as after the death of a node, does not block connected sockets. Without it, all
 * tasks that arrived while the loop was busy run in one turn, in which more arrive: libuv polls up
 * to 48 times 1,024 sockets before it checks timers again. Source: `uv__io_poll` in libuv's
 * src/unix/linux.c.
 */
export class TurnThrottle {
  readonly #waiting: (() => void)[] = []
  readonly #perTurn: number
  readonly #now: () => number
  #left: number
  /** Milliseconds that the tasks of this turn have taken. */
  #spent = 0
  #isTurning = false

  /**
   * @param perTurn how many tasks run in one turn
   * @param now the time in milliseconds
   */
  constructor(perTurn = PER_TURN, now = () => performance.now()) {
    this.#perTurn = this.#left = perTurn
    this.#now = now
  }

  /**
   * Runs a task: at once if few ran before it in this turn, or in a later turn, in the order of
   * arrival.
   */
  run(run: () => void): void {
    this.#turnSoon()
    if (this.#waiting.length > 0 || !this.#hasRoom) return void this.#waiting.push(run)
    this.#run(run)
  }

  /**
   * Resolves when its turn has come. @param work runs in that turn, and counts for it; it does not
   * throw
   */
  wait(work?: () => void): Promise<void> {
    return new Promise((resolve) =>
      this.run(() => {
        work?.()
        resolve()
      }),
    )
  }

  get #hasRoom(): boolean {
    return this.#left > 0 && this.#spent < WORK
  }

  #run(run: () => void): void {
    this.#left -= 1
    const begun = this.#now()
    try {
      run()
    } finally {
      this.#spent += this.#now() - begun
    }
  }

  #turnSoon(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    eventLoop.setImmediate(this.#turn)
  }

  readonly #turn = () => {
    this.#isTurning = false
    this.#left = this.#perTurn
    this.#spent = 0
    if (this.#waiting.length > 0) this.#turnSoon()
    while (this.#hasRoom) {
      const run = this.#waiting.shift()
      if (!run) return
      this.#run(run)
    }
  }
}

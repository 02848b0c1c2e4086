import { eventLoop } from './event-loop.js'

/** How many are let through in one turn of the event loop. Each costs some 0.1 to 0.5 ms of work. */
const PER_TURN = 32

/** Milliseconds of work in one turn after which the others wait. One may take longer. */
const WORK = 8

/**
 * Lets newcomers, or what they ask for, through a few at a time, so that many at once, such as all clients of a node that
 * died, do not keep the event loop from everybody who is there already. Without it, all that have come while the loop was busy are served in
 * one turn, in which more come: libuv polls up to 48 times 1,024 sockets before it looks at timers again.
 * Source: `uv__io_poll` in libuv's src/unix/linux.c.
 */
export class TurnThrottle {
  readonly #waiting: (() => void)[] = []
  readonly #perTurn: number
  readonly #now: () => number
  #left: number
  /** Milliseconds that those of this turn have taken. */
  #spent = 0
  #isTurning = false

  /**
   * @param perTurn how many are let through in one turn
   * @param now the time in milliseconds
   */
  constructor(perTurn = PER_TURN, now = () => performance.now()) {
    this.#perTurn = this.#left = perTurn
    this.#now = now
  }

  /** Runs it: at once if not many came before it in this turn, in a later turn otherwise, in the order of coming. */
  run(run: () => void): void {
    this.#turnSoon()
    if (this.#waiting.length > 0 || !this.#hasRoom) return void this.#waiting.push(run)
    this.#run(run)
  }

  /** Resolves when it is let through. @param work what its turn costs, done then; it does not throw */
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

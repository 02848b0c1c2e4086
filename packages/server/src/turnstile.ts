/** How many are let through in one turn of the event loop. Each costs some 0.1 to 0.5 ms of work. */
const PER_TURN = 32

/**
 * Lets newcomers, or what they ask for, through a few at a time, so that many at once, such as all clients of a node that
 * died, do not keep the event loop from everybody who is there already. Without it, all that have come while the loop was busy are served in
 * one turn, in which more come: libuv polls up to 48 times 1,024 sockets before it looks at timers again.
 * Source: `uv__io_poll` in libuv's src/unix/linux.c.
 */
export class Turnstile {
  readonly #waiting: (() => void)[] = []
  readonly #perTurn: number
  #left: number
  #isTurning = false

  /** @param perTurn how many are let through in one turn */
  constructor(perTurn = PER_TURN) {
    this.#perTurn = this.#left = perTurn
  }

  /** Runs it: at once if not many came before it in this turn, in a later turn otherwise, in the order of coming. */
  pass(run: () => void): void {
    this.#turnSoon()
    if (this.#waiting.length > 0 || this.#left === 0) return void this.#waiting.push(run)
    this.#left -= 1
    run()
  }

  #turnSoon(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    setImmediate(this.#turn)
  }

  readonly #turn = () => {
    this.#isTurning = false
    this.#left = this.#perTurn
    if (this.#waiting.length > 0) this.#turnSoon()
    for (; this.#left > 0 && this.#waiting.length > 0; this.#left -= 1) this.#waiting.shift()?.()
  }
}

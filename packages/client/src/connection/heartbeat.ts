import { RpcError, startTimeout } from '@token-socket/protocol'

/** What a {@link Heartbeat} needs of the socket. */
export interface HeartbeatOwner {
  /** Asks the server for a heartbeat. Rejects with `timeout` if none comes. */
  ping(): Promise<unknown>
  /** Milliseconds since anything arrived from the server. */
  readonly idleTime: number
  /** A ping was answered after this many milliseconds. */
  answered(roundTrip: number): void
  /** A regular ping was answered with an error, so the connection works. */
  failed(error: unknown): void
  /** A ping was not answered: the connection is dead, even if the network has not reported it. */
  died(): void
}

/**
 * Pings the server while a connection is ready, and reports a dead connection. One ping runs at a
 * time.
 */
export class Heartbeat {
  readonly #interval: number
  readonly #owner: HeartbeatOwner
  #stopTimer = () => {}
  #stopWatch = () => {}
  /** Counts starts and stops: an earlier ping's answer says nothing about the connection of now. */
  #epoch = 0
  #running = false
  #waiting = false

  /** @param interval milliseconds from one ping's answer to the next ping; 0 for none but those of {@link check} */
  constructor(interval: number, owner: HeartbeatOwner) {
    this.#interval = interval
    this.#owner = owner
  }

  /**
   * A connection is ready.
   * @param silence milliseconds of silence after which the server is pinged; 0 or `undefined` for a
   *   server that sends no heartbeats
   */
  start(silence?: number): void {
    this.stop()
    this.#running = true
    this.#schedule()
    if (silence) this.#watch(silence, silence)
  }

  /** The connection is lost. Running pings are forgotten. */
  stop(): void {
    this.#epoch += 1
    this.#running = false
    this.#waiting = false
    this.#stopTimer()
    this.#stopWatch()
  }

  /** Pings now, if a connection is ready and no ping runs. */
  check(): void {
    if (!this.#running || this.#waiting) return
    this.#stopTimer()
    this.#waiting = true
    void this.#ping(this.#epoch)
  }

  async #ping(epoch: number): Promise<void> {
    const start = performance.now()
    let failure: unknown
    await this.#owner.ping().catch((error: unknown) => {
      failure = error
    })
    if (epoch !== this.#epoch) return
    this.#waiting = false
    if (RpcError.is(failure) && failure.code === 'timeout') return this.#owner.died()
    this.#schedule()
    if (failure === undefined) this.#owner.answered(performance.now() - start)
    // Nothing waits for the pings of `check`. The legacy server answers all pings with an error,
    // unless its options say otherwise.
    else if (this.#interval > 0) this.#owner.failed(failure)
  }

  /** Checks again when the silence may be over its limit. */
  #watch(silence: number, wait: number): void {
    this.#stopWatch = startTimeout(wait, () => {
      const left = silence - this.#owner.idleTime
      if (left <= 0) this.check()
      this.#watch(silence, left > 0 ? left : silence)
    })
  }

  #schedule(): void {
    if (this.#interval > 0) this.#stopTimer = startTimeout(this.#interval, () => this.check())
  }
}

import { RpcError, startTimeout } from '@token-socket/protocol'

/** What a {@link Heartbeat} needs of the socket. */
export interface HeartbeatOwner {
  /** Asks the server for a heartbeat. Rejects with `timeout` if none comes. */
  ping(): Promise<unknown>
  /** Milliseconds since anything came from the server. */
  readonly idleTime: number
  /** A ping was answered after this many milliseconds. */
  answered(roundTrip: number): void
  /** One of the regular pings was answered with an error, so the link is alive. */
  failed(error: unknown): void
  /** A ping was not answered: the link is dead, whatever the network says. */
  died(): void
}

/** Pings the server while a link is ready, and tells when the link is dead. Only one ping is under way at a time. */
export class Heartbeat {
  readonly #interval: number
  readonly #owner: HeartbeatOwner
  #stopTimer = () => {}
  #stopWatch = () => {}
  /** The number of starts and stops: an answer from before the last one says nothing about the link of now. */
  #epoch = 0
  #running = false
  #waiting = false

  /** @param interval milliseconds from one ping's answer to the next ping; 0 for none but those of {@link check} */
  constructor(interval: number, owner: HeartbeatOwner) {
    this.#interval = interval
    this.#owner = owner
  }

  /**
   * The link is ready.
   * @param silence milliseconds after which a server that is not heard of is pinged; 0 or none for a server that promises nothing
   */
  start(silence?: number): void {
    this.stop()
    this.#running = true
    this.#schedule()
    if (silence) this.#watch(silence, silence)
  }

  /** The link is gone. Pings under way are forgotten. */
  stop(): void {
    this.#epoch += 1
    this.#running = false
    this.#waiting = false
    this.#stopTimer()
    this.#stopWatch()
  }

  /** Pings now, if a link is ready and no ping is under way. */
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
    // No one asked for the pings of `check`; the legacy server answers all pings with an error unless told otherwise.
    else if (this.#interval > 0) this.#owner.failed(failure)
  }

  /** Looks again when the silence could be over its limit. */
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

/**
 * The time of Redis, for ids that this node makes by itself: nodes whose own clocks are wrong, or jump, make ids that
 * fit those of the others. It is never ahead of Redis, by which the ids of kept publications are made.
 */
export class RedisClock {
  #ahead: number | undefined

  /** Milliseconds since 1970. */
  now(): number {
    return this.#ahead === undefined ? Date.now() : Math.floor(performance.now() + this.#ahead)
  }

  /** @param reply to the command `TIME`: seconds and microseconds */
  set([seconds, microseconds]: readonly string[]): void {
    this.#ahead = Number(seconds) * 1000 + Number(microseconds) / 1000 - performance.now()
  }
}

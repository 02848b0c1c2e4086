/**
 * The time of Redis, for ids that this node creates: they fit those of other nodes, also if the
 * nodes' clocks are wrong or jump. It is never ahead of Redis, whose time is in the ids of kept
 * publications.
 */
export class RedisClock {
  #ahead: number | undefined

  /** Milliseconds since 1970. */
  now(): number {
    return this.#ahead === undefined ? Date.now() : Math.floor(performance.now() + this.#ahead)
  }

  /** @param reply the reply to the command `TIME`: seconds and microseconds */
  set([seconds, microseconds]: readonly string[]): void {
    this.#ahead = Number(seconds) * 1000 + Number(microseconds) / 1000 - performance.now()
  }
}

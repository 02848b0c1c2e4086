/** How many failures of the latest notifications one client may report. */
const MOST = 1000

/**
 * Counts the notifications that a client was sent, and whose failures it may report: the last
 * 1,000, for as long as a call may take. Failures of older ones are dropped.
 */
export class FailureCredit {
  readonly #period: number
  /** When this period began; milliseconds. */
  #start = Number.NEGATIVE_INFINITY
  /** Sent in this period, and in the one before. */
  #sent = 0
  #before = 0
  /** Sent and not reported, too old or too many to count. */
  #expired = 0

  /** @param period milliseconds for which each counts at least; twice as many at most */
  constructor(period: number) {
    this.#period = period
  }

  /** A notification was sent. @param now milliseconds */
  add(now: number): void {
    this.#expire(now)
    this.#sent += 1
    if (this.#sent + this.#before <= MOST) return
    this.#expired += 1
    if (this.#before > 0) this.#before -= 1
    else this.#sent -= 1
  }

  /**
   * A failure was reported.
   * @returns whether it counts, is too late, or is of nothing that was sent.
   * @param now milliseconds
   */
  take(now: number): 'counts' | 'late' | 'unasked' {
    this.#expire(now)
    if (this.#before > 0) this.#before -= 1
    else if (this.#sent > 0) this.#sent -= 1
    else if (this.#expired > 0) {
      this.#expired -= 1
      return 'late'
    } else return 'unasked'
    return 'counts'
  }

  #expire(now: number): void {
    const age = now - this.#start
    if (age < this.#period) return
    const isOlder = age >= 2 * this.#period
    this.#expired += isOlder ? this.#sent + this.#before : this.#before
    this.#before = isOlder ? 0 : this.#sent
    this.#sent = 0
    this.#start = isOlder ? now : this.#start + this.#period
  }
}

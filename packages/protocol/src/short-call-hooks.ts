/** In the place of `call-hooks` in scripts whose bytes count: only servers watch the calls that they run. */

/** Every call that the peer's own limits allow runs. */
export function refusalOf(): undefined {}

/** Does nothing. */
export function notePromise(): void {}

/** Does nothing. */
export function unanswered(): void {}

/** Does nothing. */
export function answeredLate(): void {}

/** A function that throws after its call has ended is taken to have stopped. */
export function isAbortError(): boolean {
  return true
}

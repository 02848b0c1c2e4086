/** In the place of `call-hooks` in scripts whose bytes count: only servers watch and weigh the calls that they run. */

/** No load is kept. */
export function newLoad(): undefined {}

/** Does nothing. */
export function addLoad(): void {}

/** Does nothing. */
export function removeLoad(): void {}

/** Every call that the peer's own limits allow runs. */
export function refusalOf(): undefined {}

/** Does nothing. */
export function notePromise(): void {}

/** Does nothing. */
export function noteGiven(): void {}

/** Does nothing. */
export function unanswered(): void {}

/** Does nothing. */
export function answeredLate(): void {}

/** A function that throws after its call has ended is taken to have stopped. */
export function isAbortError(): boolean {
  return true
}

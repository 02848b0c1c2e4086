import { isNever } from '@token-socket/protocol'
import type { ValidationTime } from './checked-value.js'

/** Returns the time of a call, counted from now on: its `timeout` is the rest. */
export function timeFromNow({ timeout, signal }: ValidationTime): ValidationTime {
  const begun = performance.now()
  return {
    signal,
    get timeout() {
      // A whole number, as in messages, and not 0, which means any time.
      return isNever(timeout) ? timeout : Math.max(1, Math.ceil(timeout - (performance.now() - begun)))
    },
  }
}

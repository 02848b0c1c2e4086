import { isNever } from '@token-socket/protocol'
import type { ValidationTime } from './checked-value.js'

/** The time that a call has, counted from now on: its `timeout` is what is left of it. */
export function timeFromNow({ timeout, signal }: ValidationTime): ValidationTime {
  const begun = performance.now()
  return {
    signal,
    get timeout() {
      // Whole, as it travels; not 0, which is for any time.
      return isNever(timeout) ? timeout : Math.max(1, Math.ceil(timeout - (performance.now() - begun)))
    },
  }
}

import { isClaims } from '../claims/auth-claims.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/**
 * Tells whether what an `authentication` or `connectAuthentication` function gave is claims.
 * Sessions, and users of applications that know no claims, have their own ideas of what a `uid` is:
 * they get in without one. The log says so once for each cause.
 */
export class ClaimsCheck {
  readonly #log: Pick<ThrottledLog, 'write'>
  readonly #option: string
  readonly #reported = new Set<string>()

  /** @param option the option whose function gives it */
  constructor(log: Pick<ThrottledLog, 'write'>, option = 'authentication') {
    this.#log = log
    this.#option = option
  }

  /** Whether `uid`, `umd` and `channels` of it count. */
  isClaims(auth: unknown): boolean {
    if (isClaims(auth)) return true
    const { uid, umd } = Object(auth) as { readonly uid?: unknown; readonly umd?: unknown }
    if (uid !== undefined) this.#report('uid', uid)
    else if (umd !== undefined) this.#report('umd', umd)
    return false
  }

  #report(field: 'uid' | 'umd', value: unknown): void {
    if (this.#reported.has(field)) return
    this.#reported.add(field)
    const what = field === 'uid' ? 'a uid that is no string' : 'a umd without a uid'
    this.#log.write(`${this.#option} ${field}`, [
      'warn',
      { option: this.#option, field, type: value === null ? 'null' : typeof value },
      `${this.#option} gave ${what}, which does not count: the user has no presence, and cannot be cut off by uid. \
Give the uid as a string, such as String(id)`,
    ])
  }
}

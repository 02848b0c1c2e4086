import { isClaims } from '../claims/auth-claims.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/**
 * Decides whether the result of an `authentication` or `connectAuthentication` function is claims.
 * Sessions, and users of applications without claims, may use a field `uid` for something else:
 * they are authenticated without a uid. The log gets one line for each cause.
 */
export class ClaimsCheck {
  readonly #log: Pick<ThrottledLog, 'write'>
  readonly #option: string
  readonly #reported = new Set<string>()

  /** @param option the option that the function is given as */
  constructor(log: Pick<ThrottledLog, 'write'>, option = 'authentication') {
    this.#log = log
    this.#option = option
  }

  /** Returns whether its `uid`, `umd` and `channels` count as claims. */
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

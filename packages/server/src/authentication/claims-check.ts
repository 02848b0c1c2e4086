import type { ThrottledLog } from '../runtime/throttled-log.js'

/**
 * Tells whether what an `authentication` function gave is claims. Sessions, and users of applications that know no claims,
 * have their own ideas of what a `uid` is: they get in without one. The log says so once for each cause.
 */
export class ClaimsCheck {
  readonly #log: Pick<ThrottledLog, 'write'>
  readonly #told = new Set<string>()

  constructor(log: Pick<ThrottledLog, 'write'>) {
    this.#log = log
  }

  /** Whether `uid`, `umd` and `channels` of it count. */
  isClaims(auth: unknown): boolean {
    if (typeof auth !== 'object' || auth === null) return false
    const { uid, umd, channels } = auth as {
      readonly uid?: unknown
      readonly umd?: unknown
      readonly channels?: unknown
    }
    if (channels !== undefined || typeof uid === 'string') return true
    if (uid !== undefined) this.#tell('uid', uid)
    else if (umd !== undefined) this.#tell('umd', umd)
    return false
  }

  #tell(field: 'uid' | 'umd', value: unknown): void {
    if (this.#told.has(field)) return
    this.#told.add(field)
    const what = field === 'uid' ? 'a uid that is no string' : 'a umd without a uid'
    this.#log.write(`authentication ${field}`, [
      'warn',
      { option: 'authentication', field, type: value === null ? 'null' : typeof value },
      `authentication gave ${what}, which does not count: the user has no presence, and cannot be cut off by uid. \
Give the uid as a string, such as String(id)`,
    ])
  }
}

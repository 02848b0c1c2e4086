import { plainRefusal } from '@token-socket/protocol'
import { addressBlock } from '../http/address-block.js'
import { OwnerRates } from '../runtime/owner-rates.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'

/** How many tokens may be requested in a second. */
export interface TokenRateLimits {
  /** By one user, and in one session. */
  readonly tokenRequestsPerUser: number
  /** From one address. */
  readonly tokenRequestsPerAddress: number
}

/** The requester of a token. */
interface TokenAsker {
  readonly ip?: string | undefined
}

/** The response to a token request. */
interface TokenResponse {
  set(header: string, value: string): unknown
}

/** A limit that a request exceeds. */
type Field = keyof TokenRateLimits

/** A token request that came too soon. */
export class TokenRateError {
  readonly #field: Field
  readonly #limit: number
  readonly #retryAfter: number

  /** @param retryAfter milliseconds */
  constructor(field: Field, limit: number, retryAfter: number) {
    this.#field = field
    this.#limit = limit
    this.#retryAfter = retryAfter
  }

  /**
   * Sets the status and the headers, and returns the body. `Retry-After` is in whole seconds; pages
   * of other origins may read it.
   */
  answer(response: TokenResponse): object {
    const about = { field: this.#field, limit: this.#limit, retryAfter: this.#retryAfter }
    const { message: error, code, data } = plainRefusal('rate_limited', about)
    response.set('Retry-After', String(Math.ceil(this.#retryAfter / 1000)))
    response.set('Access-Control-Expose-Headers', 'Retry-After')
    return { error, code, data }
  }

  log({ ip }: TokenAsker, log: Pick<ThrottledLog, 'write'>): void {
    log.write(`token request ${this.#field}`, ['info', { ip, option: `limits.${this.#field}` }, TOO_MANY])
  }
}

const TOO_MANY = 'a token request is refused: there are too many of its address or user'

/**
 * Counts token requests on this node: those of an address before `authentication` is called, those
 * of a user after it.
 */
export class TokenRates {
  readonly #limits: TokenRateLimits
  readonly #addresses: OwnerRates
  readonly #users: OwnerRates

  constructor(limits: TokenRateLimits) {
    this.#limits = limits
    this.#addresses = new OwnerRates(limits.tokenRequestsPerAddress)
    this.#users = new OwnerRates(limits.tokenRequestsPerUser)
  }

  /** @throws TokenRateError */
  countAddress({ ip }: TokenAsker): void {
    this.#count('tokenRequestsPerAddress', this.#addresses.take(addressBlock(ip ?? '')))
  }

  /** @param subjects the user's names @throws TokenRateError */
  countUser(subjects: readonly string[]): void {
    for (const subject of subjects) this.#count('tokenRequestsPerUser', this.#users.take(subject))
  }

  #count(field: Field, retryAfter: number): void {
    if (retryAfter > 0) throw new TokenRateError(field, this.#limits[field], retryAfter)
  }
}

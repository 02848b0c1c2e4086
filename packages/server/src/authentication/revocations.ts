import { RpcError } from '@token-socket/protocol'
import type { Tickets } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'
import { CLOCK_SLACK } from './authorization-order.js'
import { TokenRequests } from './token-requests.js'

/** Milliseconds for which a signed token of before is refused to a user that was cut off. */
const SIGNED_TTL = 60 * 60 * 1000

/** Dependencies of {@link Revocations}. */
export interface RevocationsOwner {
  readonly tickets: Pick<Tickets, 'revoke' | 'revoked'>
  /** Milliseconds that a token lives. */
  readonly tokenTtl: number
  readonly limits: {
    /** Milliseconds that `authentication` may take. */
    readonly authenticationTimeout: number
  }
}

/**
 * Users that were cut off: what was asked for or signed before that does not let them in again, on any node. The engine keeps
 * it, so that a node that starts later knows it too.
 */
export class Revocations {
  /** The requests for tokens that are under way on this node. */
  readonly requests = new TokenRequests()
  readonly #owner: RevocationsOwner

  constructor(owner: RevocationsOwner) {
    this.#owner = owner
  }

  /** Milliseconds for which a ticket may let in, from the request for it on, by any node's clock. */
  get ticketTtl(): number {
    const { tokenTtl, limits } = this.#owner
    return tokenTtl + limits.authenticationTimeout + CLOCK_SLACK
  }

  /**
   * Takes back the tokens of a user that were asked for before now.
   * @param options.signed takes back those that the application signed, too. A client may hold such a token for long, so
   *   this is only for users who are to stay away
   * @throws RpcError `engine_unavailable`
   */
  async add(subject: string, { signed }: { readonly signed: boolean }): Promise<void> {
    const { tickets } = this.#owner
    this.requests.revoke(subject)
    const adding = [attempt(() => tickets.revoke(subject, this.ticketTtl))]
    if (signed) adding.push(attempt(() => tickets.revoke(signedBy(subject), SIGNED_TTL)))
    await Promise.all(adding)
  }

  /**
   * Checks a token that the application signed.
   * @param iat seconds since 1970; a token without it may be of before
   * @throws RpcError `invalid_token` if it was signed before its user was cut off; `engine_unavailable`
   */
  async check(subject: string, iat: unknown): Promise<void> {
    const revoked = await this.#owner.tickets.revoked(signedBy(subject))
    if (revoked === undefined) return
    const isLater = typeof iat === 'number' && iat * 1000 > revoked
    if (!isLater) throw new RpcError('invalid_token', 'its user was cut off after it was signed')
  }
}

function signedBy(subject: string): string {
  return `signed ${subject}`
}

import { RpcError } from '@token-socket/protocol'
import type { Tickets } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'
import { CLOCK_SLACK } from './authorization-order.js'
import { TokenRequests } from './token-requests.js'

/** Milliseconds for which tokens that were signed before a user was cut off are refused. */
const SIGNED_TTL = 60 * 60 * 1000

/** Dependencies of {@link Revocations}. */
export interface RevocationsOwner {
  readonly tickets: Pick<Tickets, 'revoke' | 'revoked'>
  /** Milliseconds for which a token is valid. */
  readonly tokenTtl: number
  readonly limits: {
    /** Milliseconds that `authentication` may take. */
    readonly authenticationTimeout: number
  }
}

/**
 * Users that were cut off. Tokens that were requested or signed before do not authenticate them
 * again, on any node. The engine keeps this, so that nodes that start later know it too.
 */
export class Revocations {
  /** The requests for tokens that are under way on this node. */
  readonly requests = new TokenRequests()
  readonly #owner: RevocationsOwner

  constructor(owner: RevocationsOwner) {
    this.#owner = owner
  }

  /** Milliseconds for which a ticket is valid, from its request on, by any node's clock. */
  get ticketTtl(): number {
    const { tokenTtl, limits } = this.#owner
    return tokenTtl + limits.authenticationTimeout + CLOCK_SLACK
  }

  /**
   * Revokes the tokens of a user that were requested before now, also on requests that are under
   * way.
   * @param options.signed also revokes tokens that the application signed. A client may keep such a
   *   token for long, so this is only for users that must not reconnect
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
   * @param iat seconds since 1970; a token without it counts as signed before
   * @throws RpcError `invalid_token` if it was signed before its user was cut off;
   *   `engine_unavailable`
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

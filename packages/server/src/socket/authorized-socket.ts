import { Authorization, type AuthorizationSource } from '../claims/authorization.js'
import { ChannelIdentities, type ChannelIdentity, identityOf } from '../claims/channel-identities.js'
import type { Claims } from '../claims/claims.js'
import type { Grants } from '../claims/grants.js'
import type { SocketAuth } from '../claims/socket-data.js'
import { subjectsOf } from '../claims/subjects.js'
import { type AddedGrants, addClaims } from './added-grants.js'

/** Who a socket is, and what it may do. */
export abstract class AuthorizedSocket {
  #authorization: Authorization
  /** Created when a channel's token may state an identity: most sockets have none. */
  #identities: ChannelIdentities | undefined

  /** @internal */
  constructor(source: AuthorizationSource) {
    this.#authorization = Authorization.of(source)
  }

  /** What it is allowed now. A change replaces it. @internal */
  get authorization(): Authorization {
    return this.#authorization
  }

  /** @internal */
  set authorization(authorization: Authorization) {
    this.#authorization = authorization
  }

  /** What `authentication` returned for it (a copy, as JSON carries it); handlers get it as their first argument. */
  get auth(): SocketAuth {
    return this.#authorization.auth
  }

  /** The user's id, if `authentication` gave one; others see it. */
  get uid(): string | undefined {
    return this.#authorization.uid
  }

  /** What else others may know of the user. */
  get umd(): unknown {
    return this.#authorization.umd
  }

  /** The hash of the sign-in's session. @internal */
  get session(): string | undefined {
    return this.#authorization.session
  }

  /** Who it is over all its connections: its uid, else its sign-in's session, if either is known. @internal */
  get subject(): string | undefined {
    return subjectsOf(this)[0]
  }

  /** What it may do on channels. @internal */
  get grants(): Grants {
    return this.#authorization.grants
  }

  /**
   * Who it is on a channel, to others; or on all that it has no token of their own for.
   * @internal
   */
  identity(channel?: string): ChannelIdentity {
    return this.#identities?.on(channel) ?? identityOf(this)
  }

  /**
   * Adds to what it may do, and says who it is on one channel.
   * @throws RpcError `bad_claims` if that is too much together; then it is as before
   * @internal
   */
  grant(channel: string, claims: Claims): AddedGrants {
    this.#identities ??= new ChannelIdentities(this)
    const identities = this.#identities
    return addClaims(this, claims, () => identities.set(channel, claims))
  }

  /** Who it is on a channel, if a token said it. @internal */
  saidOn(channel: string): ChannelIdentity | undefined {
    return this.#identities?.stated(channel)
  }
}

import { Authorization, type AuthorizationSource } from '../claims/authorization.js'
import { ChannelIdentities, type ChannelIdentity, identityOf } from '../claims/channel-identities.js'
import type { Claims } from '../claims/claims.js'
import type { Grants } from '../claims/grants.js'
import type { SocketAuth } from '../claims/socket-data.js'
import { subjectsOf } from '../claims/subjects.js'
import { type AddedGrants, addClaims } from './added-grants.js'

/** The identity and the permissions of a socket. */
export abstract class AuthorizedSocket {
  #authorization: Authorization
  /** Created when a channel's token may state an identity: most sockets have none. */
  #identities: ChannelIdentities | undefined

  /** @internal */
  constructor(source: AuthorizationSource) {
    this.#authorization = Authorization.of(source)
  }

  /** The current authorization. A change replaces it. @internal */
  get authorization(): Authorization {
    return this.#authorization
  }

  /** @internal */
  set authorization(authorization: Authorization) {
    this.#authorization = authorization
  }

  /**
   * The result of `authentication` (a copy, as JSON carries it); handlers get it as their first
   * argument.
   */
  get auth(): SocketAuth {
    return this.#authorization.auth
  }

  /** The user's id, if `authentication` returned one; others see it. */
  get uid(): string | undefined {
    return this.#authorization.uid
  }

  /** User metadata (`umd`), which others see. */
  get umd(): unknown {
    return this.#authorization.umd
  }

  /** The hash of the sign-in's session. @internal */
  get session(): string | undefined {
    return this.#authorization.session
  }

  /**
   * Its identity over all its connections: its uid, or its sign-in's session, if either is known.
   * @internal
   */
  get subject(): string | undefined {
    return subjectsOf(this)[0]
  }

  /** Its permissions on channels. @internal */
  get grants(): Grants {
    return this.#authorization.grants
  }

  /**
   * Its identity on a channel, as others see it; or on all channels for which it has no token.
   * @internal
   */
  identity(channel?: string): ChannelIdentity {
    return this.#identities?.on(channel) ?? identityOf(this)
  }

  /**
   * Adds permissions, and sets the identity on one channel.
   * @throws RpcError `bad_claims` if the claims are too large together; then nothing is changed
   * @internal
   */
  grant(channel: string, claims: Claims): AddedGrants {
    this.#identities ??= new ChannelIdentities(this)
    const identities = this.#identities
    return addClaims(this, claims, () => identities.set(channel, claims))
  }

  /** Its identity on a channel, if a token stated one. @internal */
  saidOn(channel: string): ChannelIdentity | undefined {
    return this.#identities?.stated(channel)
  }
}

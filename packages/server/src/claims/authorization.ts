import { RpcError } from '@token-socket/protocol'
import type { ChannelGrant, Claims } from './claims.js'
import { Grants } from './grants.js'
import type { SocketAuth } from './socket-data.js'

/** The authorisation of a socket's user, from a sign-in, a refresh or the server. */
export interface AuthorizationSource {
  /** What `authentication` returned, as JSON carries it. */
  readonly auth: unknown
  /** The user's identity, and the permissions on channels. @default none are stated */
  readonly claims?: Claims | undefined
  /** The hash of the sign-in's session. @default none is known */
  readonly session?: string | undefined
  /** The id of the token. @default none */
  readonly jti?: string | undefined
  /** When the token was issued, in milliseconds since 1970. @default not known */
  readonly issuedAt?: number | undefined
  /**
   * When it ends, in milliseconds of `performance.now()`, because the clock of the day may jump.
   * @default never
   */
  readonly expiresAt?: number | undefined
  /** Whether it comes from no token, so that its client cannot send another one. @default false */
  readonly isFixed?: boolean | undefined
}

/** The claims that tokens for channels added. */
interface AddedClaims {
  /** The merged channels of tokens whose subscription was allowed. */
  readonly kept: ReadonlyMap<string, ChannelGrant> | undefined
  /** The claims of tokens whose subscription is not decided yet. They may be removed again. */
  readonly pending: ReadonlySet<Claims>
}

const NONE: AddedClaims = { kept: undefined, pending: new Set() }

/**
 * The authorisation of a socket, as an immutable value: its user, the claims of the sign-in and of
 * tokens for channels, and its end. A change returns another one, with a later version.
 */
export class Authorization {
  /** What `authentication` returned. */
  readonly auth: SocketAuth
  /** The sign-in's own claims. */
  readonly claims: Claims | undefined
  /** The hash of the sign-in's session. */
  readonly session: string | undefined
  /** The id of the token. */
  readonly jti: string | undefined
  /** When the token was issued, in milliseconds since 1970. */
  readonly issuedAt: number | undefined
  /** When it ends, in milliseconds of `performance.now()`; `undefined` for never. */
  readonly expiresAt: number | undefined
  /** Whether it comes from no token, so that its client cannot send another one. */
  readonly isFixed: boolean
  /**
   * Counts the changes of the sign-in's claims, and the removals of a channel token's claims.
   * Adding a channel token's claims does not change it.
   */
  readonly version: number
  /** Its permissions on channels: all claims merged. */
  readonly grants: Grants
  readonly #added: AddedClaims

  private constructor(source: AuthorizationSource, version: number, added: AddedClaims) {
    this.auth = source.auth as SocketAuth
    this.claims = source.claims
    this.session = source.session
    this.jti = source.jti
    this.issuedAt = source.issuedAt
    this.expiresAt = source.expiresAt
    this.isFixed = source.isFixed ?? false
    this.version = version
    this.#added = added
    this.grants = merged(source.claims, added)
  }

  /** Returns the first authorization of a socket. */
  static of(source: AuthorizationSource): Authorization {
    return new Authorization(source, 1, NONE)
  }

  /** The user's id. */
  get uid(): string | undefined {
    return this.claims?.uid
  }

  /** The user metadata (`umd`), which others can see. */
  get umd(): unknown {
    return this.claims?.umd
  }

  /**
   * Returns it with another source instead of this one, the next version, and the same tokens for
   * channels. If all claims together exceed the limits, those of the channel tokens are dropped:
   * tokens that a client has collected cannot prevent a change.
   */
  changed(source: AuthorizationSource): Authorization {
    const version = this.version + 1
    try {
      return new Authorization(source, version, this.#added)
    } catch (error) {
      if (!RpcError.is(error) || error.code !== 'bad_claims') throw error
      return new Authorization(source, version, NONE)
    }
  }

  /** Whether tokens for channels have added claims. */
  get hasAdded(): boolean {
    return this.#added.kept !== undefined || this.#added.pending.size > 0
  }

  /** Returns it with this end, unless it ends earlier. The version stays. */
  until(end: number): Authorization {
    const { expiresAt = end } = this
    return new Authorization({ ...this, expiresAt: Math.min(expiresAt, end) }, this.version, this.#added)
  }

  /**
   * Adds a token's claims, which are later kept or removed.
   * @throws RpcError `bad_claims` if all claims together exceed the limits
   */
  withPending(claims: Claims): Authorization {
    const { kept, pending } = this.#added
    return new Authorization(this, this.version, { kept, pending: new Set([...pending, claims]) })
  }

  /** Keeps what {@link withPending} added, for as long as the socket lives. */
  withKept(claims: Claims): Authorization {
    const { kept, pending } = this.#added
    if (!pending.has(claims)) return this
    const rest = new Set(pending)
    rest.delete(claims)
    const channels = Grants.merge(kept, claims.channels)
    return new Authorization(this, this.version, { kept: channels, pending: rest })
  }

  /**
   * Removes what {@link withPending} added, also after others have added claims. This is a change:
   * what the claims allowed has to be checked again.
   */
  without(claims: Claims): Authorization {
    const { kept, pending } = this.#added
    if (!pending.has(claims)) return this
    const rest = new Set(pending)
    rest.delete(claims)
    return new Authorization(this, this.version + 1, { kept, pending: rest })
  }
}

function merged(claims: Claims | undefined, { kept, pending }: AddedClaims): Grants {
  let grants = Grants.of(claims)
  if (kept) grants = grants.add({ channels: kept })
  for (const one of pending) grants = grants.add(one)
  return grants
}

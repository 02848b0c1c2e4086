import { RpcError } from '@token-socket/protocol'
import type { ChannelGrant, Claims } from './claims.js'
import { Grants } from './grants.js'
import type { SocketAuth } from './socket-data.js'

/** What a sign-in, a refresh or the server says of a socket's user. */
export interface AuthorizationSource {
  /** What `authentication` returned, as JSON carries it. */
  readonly auth: unknown
  /** Who the user is, and what they may do on channels. @default nothing is said */
  readonly claims?: Claims | undefined
  /** The hash of the sign-in's session. @default none is known */
  readonly session?: string | undefined
  /** The id of the token. @default none */
  readonly jti?: string | undefined
  /** When the token was issued, in milliseconds since 1970. @default not known */
  readonly issuedAt?: number | undefined
  /**
   * When it ends, in milliseconds of `performance.now()`: clocks of the day may jump.
   * @default never
   */
  readonly expiresAt?: number | undefined
  /** Whether it is no token's, so that its client cannot bring another one. @default false */
  readonly isFixed?: boolean | undefined
}

/** What a token for a channel has added, until its subscription is decided. */
interface AddedClaims {
  /** The channels of tokens whose subscription was let through, merged. */
  readonly kept: ReadonlyMap<string, ChannelGrant> | undefined
  /** What may still be taken back. */
  readonly pending: ReadonlySet<Claims>
}

const NONE: AddedClaims = { kept: undefined, pending: new Set() }

/**
 * What a socket is allowed, as a value that never changes: who its user is, what the sign-in and
 * the tokens for channels say, when it ends. A change makes another one, with a later version.
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
  /** Whether it is no token's, so that its client cannot bring another one. */
  readonly isFixed: boolean
  /**
   * Counts the changes of what the sign-in says, and what was taken back. What a token for a channel
   * adds does not change it.
   */
  readonly version: number
  /** What it may do on channels: all claims together. */
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

  /** The first authorization of a socket. */
  static of(source: AuthorizationSource): Authorization {
    return new Authorization(source, 1, NONE)
  }

  /** The user's id. */
  get uid(): string | undefined {
    return this.claims?.uid
  }

  /** What else others may know of the user: the user metadata (`umd`). */
  get umd(): unknown {
    return this.claims?.umd
  }

  /**
   * What a change makes of it: another sign-in's words in place of the present ones, the next
   * version, and the same tokens for channels. If that is too much together, the rights of those
   * tokens are dropped: what a client has collected does not keep a change from it.
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

  /** Whether tokens for channels have added to what the sign-in says. */
  get hasAdded(): boolean {
    return this.#added.kept !== undefined || this.#added.pending.size > 0
  }

  /** The same, but for an end at this moment unless it ends before. The version stays. */
  until(end: number): Authorization {
    const { expiresAt = end } = this
    return new Authorization({ ...this, expiresAt: Math.min(expiresAt, end) }, this.version, this.#added)
  }

  /**
   * With a token's claims, to be kept or taken back.
   * @throws RpcError `bad_claims` if that is too much together
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
   * Takes back what {@link withPending} added, whatever others have added meanwhile. That is a
   * change: what it allowed has to be judged again.
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

import { createHash } from 'node:crypto'
import { decodeData, RpcError } from '@token-socket/protocol'
import type { AuthorizationSource } from '../claims/authorization.js'
import { type Claims, readClaims } from '../claims/claims.js'
import { endAt, endIn } from '../claims/end-time.js'
import { Grants } from '../claims/grants.js'
import { subjectsOf } from '../claims/subjects.js'
import type { Engine } from '../engine/engine.js'
import { attempt } from '../runtime/attempt.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { codeOf } from '../runtime/thrown-values.js'
import type { AddedGrants } from '../socket/added-grants.js'
import { GRACE } from '../socket/expiries.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { AuthorizationLog } from './authorization-log.js'
import type { TokenSubject } from './authorization-order.js'
import type { Revocations } from './revocations.js'
import { secondIsOver } from './same-second.js'
import type { TicketData } from './ticket-data.js'
import type { SignedClaims, Tokens } from './tokens.js'

/** Dependencies of {@link TokenAuthenticator}. */
export interface RedeemerOptions {
  readonly tokens: Pick<Tokens, 'verify' | 'peek'>
  readonly engine: Pick<Engine, 'shared' | 'tickets'>
  readonly log: Pick<ThrottledLog, 'write'>
  readonly revocations: Pick<Revocations, 'check'>
  /** Whether the authorization of a signed token ends with the token. @default true */
  readonly enforceExpiry?: boolean
  /** Tickets of servers with another prefix are refused. @default all are accepted */
  readonly prefix?: string | undefined
  /**
   * Milliseconds for which a ticket's authorization lasts. @default as long as the socket is
   * connected
   */
  readonly sessionTtl?: number | undefined
  /** Knows what was revoked, over all nodes. @default nothing is revoked */
  readonly authorizations?: Pick<AuthorizationLog, 'check' | 'amend'> | undefined
}

/** The user and the authorization of a valid token. */
export interface AuthenticatedToken extends Omit<TicketData, 'hasClaims' | 'prefix'>, AuthorizationSource {
  readonly auth: unknown
  readonly claims: Claims | undefined
  /** The id of the token, or of its ticket. @default none */
  readonly jti?: string | undefined
}

/**
 * Takes the ticket or the claims of tokens. A ticket works once, and so do signed claims with a
 * `jti` or `singleUse`. If one claim is wrong, all of them are refused. The cause of a refusal is
 * only logged.
 */
export class TokenAuthenticator {
  readonly #options: RedeemerOptions
  #lastLook = Number.NEGATIVE_INFINITY

  constructor(options: RedeemerOptions) {
    this.#options = options
  }

  /**
   * Takes the token of a connection's first message, or a new token of an open socket.
   * @throws RpcError `invalid_token`
   */
  async connect(token: string): Promise<AuthenticatedToken> {
    const { ticket, claims } = this.#verify(token, () => this.#suspect(token))
    if (!claims) {
      const { hasClaims, prefix, ...data } = await this.#take(ticket)
      this.#checkPrefix(prefix)
      const claims = hasClaims ? readClaims(data.auth) : undefined
      const redeemed = { ...data, jti: ticket, claims, expiresAt: endIn(this.#options.sessionTtl) }
      await this.#checkOrders({ ...redeemed, uid: claims?.uid })
      return this.#amended(redeemed)
    }
    if (claims.scope !== 'connect') throw this.#refused('its scope is not connect')
    const read = this.#read(claims)
    const signed = signedBy(claims)
    await this.#checkRevoked(read?.uid, claims)
    await this.#claim(claims, token)
    // Checked last, because an order may arrive while the engine is asked.
    await this.#checkOrders({ ...signed, uid: read?.uid }, claims.iat)
    const ends = this.#options.enforceExpiry !== false
    const expiresAt = ends ? endAt(claims.exp) : undefined
    return this.#amended({ auth: freeze(claims), ips: [], claims: read, ...signed, expiresAt })
  }

  /**
   * Adds the claims of a token for a channel to a socket, which are later kept or removed. @throws
   * RpcError `invalid_token`
   */
  async subscribe(socket: ServerSocket, channel: string, token: string): Promise<AddedGrants | undefined> {
    const { claims } = this.#verify(token)
    if (claims?.scope !== 'subscribe') throw this.#refused('its scope is not subscribe')
    if (claims.connectionId !== socket.sid) throw this.#refused('it is for another socket')
    const read = this.#read(claims)
    // A user's identity on one channel does not count on another.
    if (read?.channels && !Grants.of(read).covers(channel)) throw this.#refused('it is for other channels')
    await this.#claim(claims, token)
    await this.#checkOrders({ ...signedBy(claims), uid: read?.uid })
    return read && this.#try(() => socket.grant(channel, read))
  }

  async #take(id: string): Promise<TicketData> {
    const ticket = await this.#options.engine.tickets.take(id)
    if (ticket === undefined) throw this.#refused('used already, expired, or unknown')
    return decodeData(ticket) as TicketData
  }

  /**
   * Servers for other users may have the same secret and engine. A sign-in at one server does not
   * count at the other.
   */
  #checkPrefix(issuer: string | undefined): void {
    const { prefix, log } = this.#options
    if (issuer === undefined || prefix === undefined || issuer === prefix) return
    log.write('token of another prefix', ['warn', { option: 'prefix', prefix, issuer }, OTHER_PREFIX])
    throw new RpcError('invalid_token')
  }

  /** Claimed last: a token that is refused for its claims may be corrected and signed again. */
  async #claim({ jti, exp, singleUse }: SignedClaims, token: string): Promise<void> {
    // The signed part has only one spelling; the signature has several.
    const id = jti ?? (singleUse === true ? token.slice(0, token.lastIndexOf('.')) : undefined)
    if (id === undefined) return
    // For as long as a node would accept the token: clocks may differ.
    const left = exp * 1000 - Date.now() + LEEWAY
    const ttl = Math.ceil(left / GRAIN) * GRAIN
    if (!(await this.#options.engine.tickets.claim(nameOf(id), ttl))) throw this.#refused('used already')
  }

  async #checkRevoked(uid: string | undefined, { iat }: SignedClaims): Promise<void> {
    for (const subject of subjectsOf({ uid })) {
      await this.#options.revocations.check(subject, iat).catch(async (error: RpcError) => {
        if (error.code === 'invalid_token') await secondIsOver(iat)
        throw error.code === 'invalid_token' ? this.#refused(error.message) : error
      })
    }
  }

  async #checkOrders(token: TokenSubject, iat?: unknown): Promise<void> {
    await this.#options.authorizations?.check(token).catch(async (error: unknown) => {
      if (codeOf(error) === 'invalid_token') await secondIsOver(iat)
      throw codeOf(error) === 'invalid_token' ? this.#refused((error as Error).message) : error
    })
  }

  /**
   * Applies the orders since the token was issued. Synchronous, because another order may arrive.
   */
  #amended(redeemed: AuthenticatedToken): AuthenticatedToken {
    const amended = this.#options.authorizations?.amend(redeemed) ?? redeemed
    const { expiresAt } = amended
    if (expiresAt !== redeemed.expiresAt && Number(expiresAt) + GRACE <= performance.now())
      throw this.#refused('a newer one was asked for')
    return amended
  }

  #read(signed: SignedClaims): Claims | undefined {
    return this.#try(() => readClaims(signed))
  }

  /** @param refused called if the token is not valid */
  #verify(token: string, refused = () => {}) {
    try {
      return this.#options.tokens.verify(token)
    } catch (cause) {
      refused()
      throw this.#refused((cause as Error).message)
    }
  }

  /**
   * A token that is invalid here may be valid at another node. Its ticket is then in the engine
   * that the nodes share. Strangers can send any number of tokens, so only one at intervals is
   * checked; its ticket is used up by that.
   */
  #suspect(token: string): void {
    const { engine, tokens, log } = this.#options
    const now = performance.now()
    const id = engine.shared && now - this.#lastLook >= LOOK_INTERVAL ? tokens.peek(token) : undefined
    if (id === undefined) return
    this.#lastLook = now
    attempt(() => engine.tickets.take(id)).then(
      (ticket) =>
        ticket !== undefined &&
        log.write('token of another node', ['warn', { option: 'secret' }, OTHER_NODE]),
      // The engine reports its own failures.
      () => {},
    )
  }

  #try<T>(run: () => T): T {
    try {
      return run()
    } catch (cause) {
      throw this.#refused((cause as Error).message, 'its claims')
    }
  }

  /** @param kind groups repeated refusals in the log; it contains nothing of the token */
  #refused(reason: string, kind = reason): RpcError {
    this.#options.log.write(`token ${kind}`, ['info', { reason }, 'a token was refused'])
    return new RpcError('invalid_token')
  }
}

/** Milliseconds between two checks whether another node issued a token that is refused here. */
const LOOK_INTERVAL = 10_000

const OTHER_NODE =
  'a token was refused that another node issued: do all nodes have the same secret, keys, audience and time?'

const OTHER_PREFIX =
  'a token was refused that a server with another prefix issued: a token opens sockets at the prefix of its own server only'

/** Milliseconds: twice the allowed difference of clocks. */
const LEEWAY = 10_000

/**
 * Milliseconds that an expiry is rounded up to: an engine with one timer for many ids needs few
 * different times.
 */
const GRAIN = 10_000

/** Returns the id and the time of a signed token. */
function signedBy({ jti, iat }: SignedClaims): Pick<TokenSubject, 'jti' | 'issuedAt'> {
  return {
    ...(jti !== undefined && { jti }),
    ...(typeof iat === 'number' && Number.isFinite(iat) && { issuedAt: Math.min(iat * 1000, Date.now()) }),
  }
}

/** An id may be as long as a token, but a store's key may not. */
function nameOf(jti: string): string {
  return createHash('sha256').update(jti).digest('base64url')
}

/**
 * Freezes claims, which handlers and listeners share. A token is too short for nesting that
 * overflows the stack.
 */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const own of Object.values(value)) freeze(own)
  return Object.freeze(value)
}

import { decodeData, RpcError } from '@token-socket/protocol'
import { type Claims, readClaims } from './claims.js'
import type { Tickets } from './engine.js'
import type { Logger } from './logger.js'
import type { TicketData } from './token-route.js'
import type { SignedClaims, Tokens } from './tokens.js'

/** What a {@link Redeemer} needs. */
export interface RedeemerOptions {
  readonly tokens: Pick<Tokens, 'verify'>
  readonly tickets: Tickets
  readonly logger: Logger
}

/** Whom a token lets in. */
export interface Redeemed extends Omit<TicketData, 'hasClaims'> {
  readonly claims: Claims | undefined
}

/**
 * Takes what tokens stand for: a ticket once, signed claims once if they have a `jti`. Of claims that are wrong somewhere
 * none count. Why a token is refused is for the log only.
 */
export class Redeemer {
  readonly #options: RedeemerOptions

  constructor(options: RedeemerOptions) {
    this.#options = options
  }

  /** For a connection's first message. @throws RpcError `invalid_token` */
  async connect(token: string): Promise<Redeemed> {
    const { ticket, claims } = this.#verify(token)
    if (!claims) {
      const { hasClaims, ...data } = await this.#take(ticket)
      return { ...data, claims: hasClaims ? readClaims(data.auth) : undefined }
    }
    if (claims.scope !== 'connect') throw this.#refused('its scope is not connect')
    return { auth: claims, ips: [], claims: await this.#redeem(claims) }
  }

  /** For a subscription. @param sid the socket that asks for it @throws RpcError `invalid_token` */
  async subscribe(token: string, sid: string): Promise<Claims | undefined> {
    const { claims } = this.#verify(token)
    if (claims?.scope !== 'subscribe') throw this.#refused('its scope is not subscribe')
    if (claims.connectionId !== sid) throw this.#refused('it is for another socket')
    return this.#redeem(claims)
  }

  async #take(id: string): Promise<TicketData> {
    const ticket = await this.#options.tickets.take(id)
    if (ticket === undefined) throw this.#refused('used already, or unknown')
    return decodeData(ticket) as TicketData
  }

  /** Reads the claims first: a token that is refused for what it says may be corrected and signed anew. */
  async #redeem(signed: SignedClaims): Promise<Claims | undefined> {
    const claims = this.#read(signed)
    const { jti, exp } = signed
    // For as long as the token would be let in: clocks may differ.
    const ttl = exp * 1000 - Date.now() + LEEWAY
    if (jti !== undefined && !(await this.#options.tickets.claim(jti, ttl))) {
      throw this.#refused('used already')
    }
    return claims
  }

  #read(signed: SignedClaims): Claims | undefined {
    try {
      return readClaims(signed)
    } catch (cause) {
      throw this.#refused((cause as Error).message)
    }
  }

  #verify(token: string) {
    try {
      return this.#options.tokens.verify(token)
    } catch (cause) {
      throw this.#refused((cause as Error).message)
    }
  }

  #refused(reason: string): RpcError {
    this.#options.logger.info({ reason }, 'a token was refused')
    return new RpcError('invalid_token')
  }
}

/** Milliseconds: twice what clocks may differ by. */
const LEEWAY = 10_000

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { addressBlock } from '../http/address-block.js'
import { readCookie } from '../http/cookies.js'
import { clientAddress, requestAddress, type TrustProxy } from '../http/forwarded.js'
import type { RequestOrigin } from '../http/origins.js'

/** What else than its page's origin a session of the HTTP transports can be bound to. */
export const SESSION_BINDINGS = ['address', 'origin', 'cookie'] as const

/**
 * What the requests of a session of the HTTP transports must have in common, so that a stranger who
 * knows the session's id cannot join it. The page's origin always is a part of it.
 *
 * - `'address'`: they come from one address. `127.0.0.1` and `::1` are one, and so are the IPv6
 *   addresses of one subscriber (the first 64 bits).
 * - `'cookie'`: they bring a cookie that the answer to the first one sets. As long as a client has
 *   returned no cookie, its address counts.
 * - `'origin'`: nothing else. Programs name any origin: who knows the id can speak for the session.
 */
export type SessionBindingName = (typeof SESSION_BINDINGS)[number]

/** Who sends a request of a session, as far as the request shows it. */
export interface SessionHolder {
  /** The page's origin, if it is another one than the server's. */
  readonly origin: string
  readonly address: string
  readonly cookie: string | undefined
}

/** Settings of {@link SessionBinding}. */
export interface SessionBindingOptions {
  readonly by: SessionBindingName
  readonly trusts: TrustProxy
}

/** The cookie's name. It has no path: browsers return it to the paths of its session only. */
export const SESSION_COOKIE = 'token-socket-session'

/** Random bytes of the cookie's value. */
const COOKIE_BYTES = 16

/** UTF-16 code units of an origin that is kept as it is: one may be as long as a header. */
const LONGEST_ORIGIN = 128

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1'].map(addressBlock))

/** Says who sends a request, and binds new sessions to who opened them. */
export class SessionBinding {
  readonly #options: SessionBindingOptions

  constructor(options: SessionBindingOptions) {
    this.#options = options
  }

  /** Who sends a request. */
  holderOf(request: IncomingMessage, { origin = '', isForeign }: RequestOrigin): SessionHolder {
    const { by, trusts } = this.#options
    return {
      origin: isForeign ? shortOrigin(origin) : '',
      address: by === 'origin' ? '' : boundAddress(clientAddress(request, trusts)),
      cookie: by === 'cookie' ? readCookie(request.headers.cookie, SESSION_COOKIE) : undefined,
    }
  }

  /**
   * Binds a new session to the client that opens it, by a cookie of the answer where that is
   * wanted.
   */
  bind(holder: SessionHolder, request: IncomingMessage, response: ServerResponse): SessionOwner {
    if (this.#options.by !== 'cookie') return new SessionOwner(holder, undefined)
    const value = randomBytes(COOKIE_BYTES).toString('base64url')
    const isSecure = requestAddress(request, this.#options.trusts).secure
    response.setHeader('Set-Cookie', cookieOf(value, isSecure, holder.origin !== ''))
    return new SessionOwner(holder, value)
  }
}

/** The client that a session is bound to. */
export class SessionOwner {
  readonly #origin: string
  readonly #address: string
  readonly #cookie: string | undefined
  /** Whether the client has returned the cookie. Its address does not count any longer then. */
  #returnsCookie = false

  constructor({ origin, address }: Pick<SessionHolder, 'origin' | 'address'>, cookie: string | undefined) {
    this.#origin = origin
    this.#address = address
    this.#cookie = cookie
  }

  /** Whether a request may speak for the session. */
  admits(holder: SessionHolder): boolean {
    if (holder.origin !== this.#origin) return false
    if (this.#hasCookie(holder)) {
      this.#returnsCookie = true
      return true
    }
    return !this.#returnsCookie && holder.address === this.#address
  }

  #hasCookie({ cookie }: SessionHolder): boolean {
    if (cookie === undefined || this.#cookie === undefined) return false
    const [given, own] = [Buffer.from(cookie), Buffer.from(this.#cookie)]
    return given.length === own.length && timingSafeEqual(given, own)
  }
}

/** Cross-site requests return only cookies that are `SameSite=None`, which has to be `Secure`. */
function cookieOf(value: string, isSecure: boolean, isForeign: boolean): string {
  const crossSite = isSecure && isForeign
  const site = crossSite ? 'SameSite=None; Partitioned' : 'SameSite=Lax'
  return `${SESSION_COOKIE}=${value}; HttpOnly; ${isSecure ? 'Secure; ' : ''}${site}`
}

/**
 * A browser may reach the own machine by IPv4 and IPv6 in turns, and has several IPv6 addresses at
 * a time.
 */
function boundAddress(address: string): string {
  const block = addressBlock(address)
  return LOOPBACK.has(block) ? 'loopback' : block
}

function shortOrigin(origin: string): string {
  if (origin.length <= LONGEST_ORIGIN) return origin
  return createHash('sha256').update(origin).digest('base64url')
}

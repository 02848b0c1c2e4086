import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { addressBlock } from '../http/address-block.js'
import { readCookie } from '../http/cookies.js'
import { clientAddress, requestAddress, type TrustProxy } from '../http/forwarded.js'
import type { RequestOrigin } from '../http/origins.js'

/** What a session of the HTTP transports can be bound to, in addition to its page's origin. */
export const SESSION_BINDINGS = ['address', 'origin', 'cookie'] as const

/**
 * What all requests of a session of the HTTP transports must have in common. A stranger who knows
 * the session's id cannot use it. The page's origin is always included.
 *
 * - `'address'`: one address. `127.0.0.1` and `::1` count as one, and so do the IPv6 addresses of
 *   one subscriber (the first 64 bits).
 * - `'cookie'`: a cookie that the answer to the first request sets. Until a client has returned a
 *   cookie, its address counts.
 * - `'origin'`: only the origin. Programs can send any origin: a program that knows the id can use
 *   the session.
 */
export type SessionBindingName = (typeof SESSION_BINDINGS)[number]

/** The sender of a session's request, as far as the request identifies it. */
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

/** UTF-16 code units of an origin that is kept unhashed: an origin may be as long as a header. */
const LONGEST_ORIGIN = 128

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1'].map(addressBlock))

/** Identifies the sender of a request, and binds new sessions to their senders. */
export class SessionBinding {
  readonly #options: SessionBindingOptions

  constructor(options: SessionBindingOptions) {
    this.#options = options
  }

  /** Returns the sender of a request. */
  holderOf(request: IncomingMessage, { origin = '', isForeign }: RequestOrigin): SessionHolder {
    const { by, trusts } = this.#options
    return {
      origin: isForeign ? shortOrigin(origin) : '',
      address: by === 'origin' ? '' : boundAddress(clientAddress(request, trusts)),
      cookie: by === 'cookie' ? readCookie(request.headers.cookie, SESSION_COOKIE) : undefined,
    }
  }

  /** Binds a new session to its sender, by a cookie of the answer if this is configured. */
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
  /** Whether the client has returned the cookie. From then on its address does not count. */
  #returnsCookie = false

  constructor({ origin, address }: Pick<SessionHolder, 'origin' | 'address'>, cookie: string | undefined) {
    this.#origin = origin
    this.#address = address
    this.#cookie = cookie
  }

  /** Returns whether a request may use the session. */
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

/** Cross-site requests return only `SameSite=None` cookies, which have to be `Secure`. */
function cookieOf(value: string, isSecure: boolean, isForeign: boolean): string {
  const crossSite = isSecure && isForeign
  const site = crossSite ? 'SameSite=None; Partitioned' : 'SameSite=Lax'
  return `${SESSION_COOKIE}=${value}; HttpOnly; ${isSecure ? 'Secure; ' : ''}${site}`
}

/**
 * A browser may reach its own machine by IPv4 and IPv6 in turns, and has several IPv6 addresses.
 */
function boundAddress(address: string): string {
  const block = addressBlock(address)
  return LOOPBACK.has(block) ? 'loopback' : block
}

function shortOrigin(origin: string): string {
  if (origin.length <= LONGEST_ORIGIN) return origin
  return createHash('sha256').update(origin).digest('base64url')
}

import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/protocol'
import { handleRejection } from '../runtime/isolated.js'
import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { requestAddress, type TrustProxy } from './forwarded.js'
import { type OriginHint, originHint } from './origin-hint.js'

/**
 * Which other origins may use the server from a browser: a list such as `['https://app.example.com']`, a function, or
 * `'*'` for all of them. The page's own origin is always allowed. A function has to return `true` at once: anything
 * else refuses, a promise too.
 */
export type Origins = '*' | readonly string[] | ((origin: string, request: IncomingMessage) => boolean)

/** Where a request comes from. */
export interface RequestOrigin {
  /**
   * The origin that the browser sends (`null` is one), or `undefined` without one. It is `unknown`
   * for another site's page that hides its origin, and for an invalid origin.
   */
  readonly origin: string | undefined
  /** Whether it may use the server. */
  readonly allowed: boolean
  /** Whether it comes from another origin's page. A request without an origin does not. */
  readonly isForeign: boolean
  /** What to do about a refusal; see {@link OriginRulesOptions.givesHints}. */
  readonly hint?: string
}

/** Settings of {@link OriginRules}. */
export interface OriginRulesOptions {
  readonly origins: Origins
  /** Refuses requests without an origin, which only programs other than browsers send. */
  readonly required: boolean
  readonly trusts: TrustProxy
  /** Receives an error of an `origins` function. The origin is then refused. */
  readonly onerror?: (cause: unknown) => void
  /** Whether refused clients get the likely cause as well. The log always has it. @default false */
  readonly givesHints?: boolean
  /** Receives a line about refused origins. @default none */
  readonly log?: Pick<ThrottledLog, 'write'> | undefined
}

/** What the log says of a refused origin. */
interface RefusedOrigin {
  readonly option: 'origins' | 'requireOrigin'
  readonly origin?: string
  readonly cause?: OriginHint
}

/**
 * Decides which origins are allowed: on the token route, every SockJS transport and the WebSocket
 * upgrade.
 */
export class OriginRules {
  readonly #options: OriginRulesOptions
  readonly #list: ReadonlySet<string>

  /** @throws RpcError `bad_option` for an entry that is not an origin */
  constructor(options: OriginRulesOptions) {
    this.#options = options
    this.#list = new Set(listOf(options.origins).map(parseOrigin))
  }

  /** Whether every origin is allowed. */
  get allowsAll(): boolean {
    return this.#options.origins === '*'
  }

  /**
   * Judges a request by its `Origin`, or without one by its `Referer`. A browser that reports that
   * the request is its own page's (`Sec-Fetch-Site`) is trusted, since a proxy may hide the host
   * that it used.
   */
  judge(request: IncomingMessage): RequestOrigin {
    const isKnown = request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined
    const origin = isKnown ? originOf(request) : refererOf(request)
    if (origin !== undefined) return this.#judge(origin, request)
    if (!this.#options.required || isSameOriginFetch(request))
      return { origin, allowed: true, isForeign: false }
    const hint = this.#refused(request, { option: 'requireOrigin', cause: WITHOUT_ORIGIN })
    return { origin, allowed: false, isForeign: false, ...hint }
  }

  /**
   * As {@link judge}, for a script tag's request, which has no `Origin`: its `Referer` has to have
   * one. Scripts send cookies, and every page may hide its origin, so neither `null` nor `unknown`
   * is enough, whatever `origins` allows.
   */
  judgeScript(request: IncomingMessage): RequestOrigin {
    const origin = originOf(request) ?? refererOf(request)
    if (origin !== undefined && origin !== 'null' && origin !== UNKNOWN) return this.#judge(origin, request)
    const hint = this.#refused(request, { option: 'origins', cause: WITHOUT_REFERER })
    return { origin, allowed: false, isForeign: true, ...hint }
  }

  #judge(origin: string, request: IncomingMessage): RequestOrigin {
    const isForeign = !this.#isSame(origin, request)
    if (!isForeign || this.#isListed(origin, request)) return { origin, isForeign, allowed: true }
    const hint = this.#refused(request, { option: 'origins', origin, ...causeOf(origin, request) })
    return { origin, isForeign, allowed: false, ...hint }
  }

  /**
   * The operator has to know which values were compared: a proxy may hide the host that the browser
   * used.
   */
  #refused(request: IncomingMessage, refused: RefusedOrigin): Pick<RequestOrigin, 'hint'> {
    const { log, trusts, givesHints } = this.#options
    const { host = '', secure } = requestAddress(request, trusts)
    const { option, origin = 'null' } = refused
    const { headers, httpVersion } = request
    const { kind, hint } = refused.cause ?? originHint({ origin, host, secure, headers, httpVersion })
    const given = refused.origin === UNKNOWN ? (headers.origin ?? UNKNOWN) : refused.origin
    const named = given === undefined ? {} : { origin: shorten(given) }
    const path = shorten((request.url ?? '').split('?', 1)[0] ?? '')
    const details = { option, ...named, host: shorten(host), path, hint }
    log?.write(`origin ${option} ${kind}`, ['warn', details, 'an origin was refused'])
    return givesHints ? { hint } : {}
  }

  #isListed(origin: string, request: IncomingMessage): boolean {
    const { origins } = this.#options
    if (origins === '*') return true
    if (causeOf(origin, request)) return false
    if (typeof origins !== 'function') return this.#list.has(origin)
    try {
      const answer: unknown = origins(origin, request)
      handleRejection(answer, (cause) => this.#options.onerror?.(cause))
      return answer === true
    } catch (cause) {
      // Upgrades and SockJS's requests do not pass through Express, which would catch it.
      this.#options.onerror?.(cause)
      return false
    }
  }

  /**
   * The page's host is the server's. Its scheme may differ only if TLS ends at a proxy that does
   * not report it.
   */
  #isSame(origin: string, request: IncomingMessage): boolean {
    const { host, secure } = requestAddress(request, this.#options.trusts)
    if (origin === 'null' || host === undefined) return false
    const scheme = origin.startsWith('https:') ? 'https' : 'http'
    if (secure && scheme === 'http') return false
    return URL.canParse(`${scheme}://${host}`) && new URL(`${scheme}://${host}`).origin === origin
  }
}

const WITHOUT_ORIGIN: OriginHint = {
  kind: 'none',
  hint: 'the request names no `Origin`, like those of programs: leave out `requireOrigin` to allow them',
}

const WITHOUT_REFERER: OriginHint = {
  kind: 'no referer',
  hint: "a script request has neither Origin nor Referer that names its page: the page's `Referrer-Policy` must let it; a page without an origin gets no script",
}

const HIDDEN: OriginHint = {
  kind: 'hidden',
  hint: "a page of another site hides its origin, or names what is none: its `Referrer-Policy` must let it; an `Origin` is 'null' or such as https://app.example",
}

const REDIRECTED: OriginHint = {
  kind: 'redirected',
  hint: "a redirect from another host of the site hides the page's origin, and brings the user's cookies: let the page ask this server at once",
}

/** Stands for an unknown foreign origin. No origin is written so; only `*` allows it. */
const UNKNOWN = 'unknown'

/**
 * Matches one origin of a header: `scheme://host`, with a port or without (RFC 6454, section 6.1).
 */
const SERIALIZED = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\\s]+$/i

function originOf(request: IncomingMessage): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) return readOrigin(origin)
  // A browser's request without Origin, made by another site: its Referer decides.
  return site === 'cross-site' || site === 'same-site' ? (refererOf(request) ?? UNKNOWN) : undefined
}

/** Old web views send `file://`. */
function readOrigin(text: string): string {
  if (text === 'null' || text === 'file://') return 'null'
  return SERIALIZED.test(text) ? (normalize(text) ?? UNKNOWN) : UNKNOWN
}

/** A page without an origin sends no Referer: it says nothing of `null`. */
function refererOf(request: IncomingMessage): string | undefined {
  const { referer } = request.headers
  if (referer === undefined) return undefined
  return /^(blob|filesystem):/i.test(referer) ? UNKNOWN : (normalize(referer) ?? UNKNOWN)
}

/** Why a list or a function is not asked: the origin may be that of any page. */
function causeOf(origin: string, { headers }: IncomingMessage): { readonly cause: OriginHint } | undefined {
  if (origin === UNKNOWN) return { cause: HIDDEN }
  // A page of the same site has an origin. Only a redirect hides the origin of a page that can read
  // the answer.
  const isRedirected = origin === 'null' && headers['sec-fetch-site'] === 'same-site'
  return isRedirected ? { cause: REDIRECTED } : undefined
}

function isSameOriginFetch(request: IncomingMessage): boolean {
  return request.headers['sec-fetch-site'] === 'same-origin'
}

/**
 * Returns the normalized origin of a URL, if it has one. Schemes without an origin in browsers
 * (`capacitor://localhost`, extensions) are kept as they are: `null` would mean all of them.
 */
function normalize(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, protocol, host } = new URL(text)
  if (origin !== 'null') return origin
  return host === '' ? undefined : `${protocol}//${host}`
}

function listOf(origins: Origins): readonly string[] {
  if (origins === '*' || typeof origins === 'function') return []
  if (Array.isArray(origins)) return origins
  throw badOrigins('has to be a list of origins, a function, or *')
}

function parseOrigin(text: string): string {
  if (text === 'null') return text
  const origin = normalize(text)
  // Nothing but an origin is valid: a path or a wildcard would seem to have an effect, and
  // `localhost:3000` is a scheme.
  if (origin !== undefined && !origin.includes('*') && [origin, `${origin}/`].includes(text)) return origin
  throw badOrigins(`${text} is not an origin, such as https://example.com or http://localhost:5173`)
}

function badOrigins(why: string): RpcError {
  return new RpcError('bad_option', `origins: ${why}`, { field: 'origins' })
}

import type { IncomingMessage } from 'node:http'
import { RpcError } from '@token-socket/protocol'
import { requestAddress, type TrustProxy } from './forwarded.js'

/**
 * Which other origins may use the server from a browser: a list such as `['https://app.example.com']`, a function, or
 * `'*'` for all of them. The page's own origin is always allowed.
 */
export type Origins = '*' | readonly string[] | ((origin: string, request: IncomingMessage) => boolean)

/** What is known of where a request comes from. */
export interface RequestOrigin {
  /** The origin that the browser names (`null` is one), or `undefined` if the request names none. */
  readonly origin: string | undefined
  /** Whether it may use the server. */
  readonly allowed: boolean
  /** Whether it comes from another origin's page. A request that names no origin does not. */
  readonly isForeign: boolean
}

/** Settings of {@link OriginRules}. */
export interface OriginRulesOptions {
  readonly origins: Origins
  /** Refuses requests that name no origin, which is what everything but a browser sends. */
  readonly required: boolean
  readonly trusts: TrustProxy
}

/** Decides where requests may come from: on the token route, every SockJS transport and the WebSocket upgrade. */
export class OriginRules {
  readonly #options: OriginRulesOptions
  readonly #list: ReadonlySet<string>

  /** @throws RpcError `bad_option` for an entry that is not an origin */
  constructor(options: OriginRulesOptions) {
    this.#options = options
    this.#list = new Set(Array.isArray(options.origins) ? options.origins.map(parseOrigin) : [])
  }

  /** Judges a request by its `Origin`, or by what else the browser says if there is none. */
  judge(request: IncomingMessage): RequestOrigin {
    const origin = originOf(request)
    if (origin !== undefined) return this.#judge(origin, request)
    return { origin, allowed: !this.#options.required || isSameOriginFetch(request), isForeign: false }
  }

  /** As {@link judge}, for a script tag's request, which has no `Origin`: its `Referer` has to name one. */
  judgeScript(request: IncomingMessage): RequestOrigin {
    const origin = originOf(request) ?? refererOf(request)
    return origin === undefined ? { origin, allowed: false, isForeign: true } : this.#judge(origin, request)
  }

  #judge(origin: string, request: IncomingMessage): RequestOrigin {
    const isForeign = !this.#isSame(origin, request)
    return { origin, isForeign, allowed: !isForeign || this.#isListed(origin, request) }
  }

  #isListed(origin: string, request: IncomingMessage): boolean {
    const { origins } = this.#options
    if (origins === '*') return true
    return typeof origins === 'function' ? origins(origin, request) : this.#list.has(origin)
  }

  /** The page's host is ours. Its scheme may differ only where TLS ends before us, unknown to us. */
  #isSame(origin: string, request: IncomingMessage): boolean {
    const { host, secure } = requestAddress(request, this.#options.trusts)
    if (origin === 'null' || host === undefined) return false
    const scheme = origin.startsWith('https:') ? 'https' : 'http'
    if (secure && scheme === 'http') return false
    return URL.canParse(`${scheme}://${host}`) && new URL(`${scheme}://${host}`).origin === origin
  }
}

function originOf(request: IncomingMessage): string | undefined {
  const { origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) return normalize(origin)
  // A browser's request without Origin, made by another site: its Referer has to speak for it.
  return site === 'cross-site' || site === 'same-site' ? (refererOf(request) ?? 'null') : undefined
}

function refererOf(request: IncomingMessage): string | undefined {
  const { referer } = request.headers
  return referer === undefined ? undefined : normalize(referer)
}

function isSameOriginFetch(request: IncomingMessage): boolean {
  return request.headers['sec-fetch-site'] === 'same-origin'
}

/** An origin in its one spelling; what is none becomes `null`, which only a list that names it, or `*`, allows. */
function normalize(text: string): string {
  return URL.canParse(text) ? new URL(text).origin : 'null'
}

function parseOrigin(text: string): string {
  // Nothing but an origin: a path would look as if it mattered.
  const isOrigin =
    text === 'null' || [text, `${text}/`].includes(URL.canParse(text) ? new URL(text).href : '')
  if (!isOrigin) throw new RpcError('bad_option', `origins: ${text} is not an origin`, { field: 'origins' })
  return normalize(text)
}

import { asRpcError, NAME_LIMITS, parseJson, RpcError, throwIfAborted } from '@token-socket/protocol'
import { fetchToken } from '#fetch'
import { limitTime } from '../runtime/time-limit.js'
import type { AuthenticationData } from '../settings/options.js'
import { formEncode, withQuery } from './form-encode.js'
import { requestByJsonp } from './token-jsonp.js'
import type { TokenResponse } from './token-request.js'

/** Settings of a {@link TokenSource}. */
export interface TokenSourceOptions {
  /** The token route's URL. */
  readonly url: string
  readonly authentication: AuthenticationData | (() => AuthenticationData | Promise<AuthenticationData>)
  readonly headers: Readonly<Record<string, string>>
  /** Whether to retry by JSONP where CORS forbids the request. */
  readonly jsonp: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** The fields of the answer's body that the client reads. */
type Body =
  | { readonly token?: unknown; readonly error?: unknown; readonly code?: unknown; readonly data?: unknown }
  | null
  | undefined

/** Requests socket tokens from the server's token route, a new one each time. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  #method: 'POST' | 'GET' = 'POST'

  constructor(options: TokenSourceOptions) {
    this.#options = options
  }

  /**
   * Requests one token.
   * @throws RpcError `token_refused` with `data.status` and `data.url` if the server refuses (4xx),
   *   `origin_refused` if it refuses this page's origin; the refusal of the server's
   *   `authentication`, whose `cause` is `token_refused`; `token_failed` for temporary failures: no
   *   network, no answer in time, 5xx, an answer without a token; `data.retryAfter` is its
   *   `Retry-After` in ms. The text names the URL; `cause` is the platform's error. Or the signal's
   *   reason
   */
  async request(signal: AbortSignal): Promise<string> {
    let answer: string | RpcError
    try {
      answer = await limitTime([this.#options.timeout], signal, (inner) => this.#request(inner))
    } catch (error) {
      throwIfAborted(signal)
      throw asTokenError(error, `to ${this.#options.url} `)
    }
    if (typeof answer === 'string') return answer
    throw answer
  }

  /** Returns the token, or why the server refuses it. */
  async #request(signal: AbortSignal): Promise<string | RpcError> {
    const { authentication, url, jsonp } = this.#options
    const data = typeof authentication === 'function' ? await authentication() : authentication
    const query = formEncode(data)
    throwIfAborted(signal)
    let response: TokenResponse
    try {
      response = await this.#fetch(withQuery(url, query), signal)
    } catch (error) {
      if (signal.aborted || !jsonp || !globalThis.document) throw error
      return tokenOf((await requestByJsonp(url, query, signal)) as Body, url)
    }
    return read(response, await response.text(), url)
  }

  async #fetch(url: string, signal: AbortSignal): Promise<TokenResponse> {
    const headers = { ...this.#options.headers, Accept: 'application/json' }
    const ask = (method: 'POST' | 'GET') => fetchToken(url, { headers, signal, method })
    const response = await ask(this.#method)
    if (this.#method === 'GET' || (response.status !== 404 && response.status !== 405)) return response
    // The legacy server supports GET only.
    const second = await ask('GET')
    if (second.ok) this.#method = 'GET'
    return second
  }
}

/** Returns the token, or why the server refuses it. @throws Error why it failed */
function read(
  { ok, status, redirected, url, headers }: TokenResponse,
  text: string,
  asked: string,
): string | RpcError {
  // The body may be a page for people.
  const body = parseJson(text) as Body
  const said = errorOf(body)
  const why = `${said ? `${said}, ` : ''}HTTP status ${status}`
  // Some 4xx statuses say nothing about the user: the same request may succeed later.
  if (/^4(?!08|25|29)/.test(`${status}`)) {
    return refusalOf(body, `${why} from ${asked}`, { status, url: asked })
  }
  // `Retry-After` as a date is ignored.
  if (!ok) throw Object.assign(new Error(why), { retryAfter: Number(headers.get('retry-after')) * 1000 })
  if (body === undefined) throw new Error(`not JSON${redirected ? `, after a redirect to ${url}` : ''}`)
  return tokenOf(body, asked)
}

/** Returns the token, or why the server refuses it. @throws Error if there is neither */
function tokenOf(body: Body, url: string): string | RpcError {
  const error = errorOf(body)
  if (error) return refusalOf(body, `${error}, from ${url}`, { url })
  return checkToken(body?.token)
}

/**
 * Returns the refusal of the server's `authentication`, if it has a code, or the library's own
 * error.
 */
function refusalOf(body: Body, text: string, details: object): RpcError {
  const { code, data } = body ?? {}
  const isOrigin = code === 'origin_refused'
  const refused = new RpcError(isOrigin ? code : 'token_refused', text, details)
  if (isOrigin || typeof code !== 'string' || code === 'forbidden') return refused
  return new RpcError(code, errorOf(body), data, refused)
}

/** @throws Error unless it is a token */
export function checkToken(token: unknown): string {
  if (!token || typeof token !== 'string') throw new Error('no token in the answer')
  if (token.length > NAME_LIMITS.token) throw new Error('the token is too long')
  return token
}

/**
 * Explains why there is no token. @param where the URL of the request, such as `to
 * https://example.com/socket/token `
 */
export function asTokenError(error: unknown, where = ''): RpcError {
  const { code } = asRpcError(error)
  if (/^token_/.test(code)) return error as RpcError
  const { message = String(error), retryAfter } = Object(error) as {
    readonly message?: string
    readonly retryAfter?: number
  }
  const why = code === 'timeout' ? 'no answer in time' : message
  const data = retryAfter ? { retryAfter } : undefined
  return new RpcError('token_failed', `The token request ${where}failed: ${why}`, data, error)
}

function errorOf(body: Body): string | undefined {
  const error = body?.error
  return error && typeof error === 'string' ? error : undefined
}

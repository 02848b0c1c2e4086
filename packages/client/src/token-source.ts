import { asRpcError, decodeData, NAME_LIMITS, RpcError } from '@token-socket/protocol'
import { formEncode, withQuery } from './form-encode.js'
import type { AuthenticationData } from './options.js'
import { limitTime } from './time-limit.js'
import { requestByJsonp } from './token-jsonp.js'

/** What a {@link TokenSource} has to know. */
export interface TokenSourceOptions {
  /** The token route's URL. */
  readonly url: string
  readonly authentication: AuthenticationData | (() => AuthenticationData | Promise<AuthenticationData>)
  readonly headers: Readonly<Record<string, string>>
  /** Whether to ask again by JSONP where CORS forbids the request. */
  readonly jsonp: boolean
  /** Milliseconds. */
  readonly timeout: number
}

/** The answer's body, as far as it is of use. */
type Body = { readonly token?: unknown; readonly error?: unknown } | null | undefined

/** Gets socket tokens from the server's token route, a fresh one each time. */
export class TokenSource {
  readonly #options: TokenSourceOptions
  #method: 'POST' | 'GET' = 'POST'

  constructor(options: TokenSourceOptions) {
    this.#options = options
  }

  /**
   * Requests one token.
   * @throws RpcError `token_refused` with `data.status` if the server says no (4xx); `token_failed` for anything that
   *   may be better next time: no network, no answer in time, 5xx, an answer that holds no token; the signal's reason
   */
  async request(signal: AbortSignal): Promise<string> {
    try {
      return await limitTime(this.#options.timeout, signal, (inner) => this.#request(inner))
    } catch (error) {
      signal.throwIfAborted()
      throw asTokenError(error)
    }
  }

  async #request(signal: AbortSignal): Promise<string> {
    const { authentication, url, jsonp } = this.#options
    const data = typeof authentication === 'function' ? await authentication() : authentication
    const query = formEncode(data)
    signal.throwIfAborted()
    let response: Response
    try {
      response = await this.#fetch(withQuery(url, query), signal)
    } catch (error) {
      if (signal.aborted || !jsonp || !globalThis.document) throw error
      return tokenOf((await requestByJsonp(url, query, signal)) as Body)
    }
    return read(response, await response.text())
  }

  async #fetch(url: string, signal: AbortSignal): Promise<Response> {
    const headers = { ...this.#options.headers, Accept: 'application/json' }
    const ask = (method: 'POST' | 'GET') => fetch(url, { credentials: 'include', headers, signal, method })
    const response = await ask(this.#method)
    if (this.#method === 'GET' || (response.status !== 404 && response.status !== 405)) return response
    // The azuqua server knows GET only.
    const second = await ask('GET')
    if (second.ok) this.#method = 'GET'
    return second
  }
}

/** @throws RpcError `token_failed`, `token_refused` */
function read({ ok, status, redirected, url }: Response, text: string): string {
  let body: Body
  try {
    body = decodeData(text) as Body
  } catch {
    // A page for people, maybe.
  }
  // Some 4xx say nothing about the user: the same request may succeed later.
  if (status >= 400 && status < 500 && ![408, 425, 429].includes(status))
    throw new RpcError('token_refused', errorOf(body), { status })
  if (!ok) throw failed(errorOf(body) ?? `HTTP status ${status}`)
  if (body === undefined) throw failed(`not JSON${redirected ? `, after a redirect to ${url}` : ''}`)
  return tokenOf(body)
}

/** @throws RpcError `token_failed`, `token_refused` */
function tokenOf(body: Body): string {
  const error = errorOf(body)
  if (error) throw new RpcError('token_refused', error)
  return checkToken(body?.token)
}

/** @throws RpcError `token_failed` unless it is a token */
export function checkToken(token: unknown): string {
  if (!token || typeof token !== 'string') throw failed('there is no token in the answer')
  if (token.length > NAME_LIMITS.token) throw failed('the token is too long')
  return token
}

/** Why there is no token. */
export function asTokenError(error: unknown): RpcError {
  const { code } = asRpcError(error)
  if (code.startsWith('token_')) return error as RpcError
  const { message = String(error) } = Object(error) as { readonly message?: string }
  return failed(code === 'timeout' ? 'no answer in time' : message, error)
}

function errorOf(body: Body): string | undefined {
  const error = body?.error
  return error && typeof error === 'string' ? error : undefined
}

function failed(why: string, cause?: unknown): RpcError {
  return new RpcError('token_failed', `The token request failed: ${why}`, undefined, cause)
}

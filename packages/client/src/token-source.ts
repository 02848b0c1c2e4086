import { decodeData, NAME_LIMITS, RpcError } from '@token-socket/protocol'
import { formEncode } from './form-encode.js'
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

/** Answers of class 4xx that say nothing about the user: the same request may succeed later. */
const TRANSIENT: ReadonlySet<number> = new Set([408, 425, 429])

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
      if (signal.aborted) throw signal.reason
      throw asTokenError(error)
    }
  }

  async #request(signal: AbortSignal): Promise<string> {
    const { authentication } = this.#options
    const data = typeof authentication === 'function' ? await authentication() : authentication
    const query = formEncode(data)
    signal.throwIfAborted()
    let response: Response
    try {
      response = await this.#fetch(query, signal)
    } catch (error) {
      if (signal.aborted || !this.#options.jsonp || !globalThis.document) throw error
      return tokenOf(await requestByJsonp(this.#options.url, query, signal))
    }
    return this.#read(response)
  }

  async #fetch(query: string, signal: AbortSignal): Promise<Response> {
    const { url, headers } = this.#options
    const address = query === '' ? url : `${url}${url.includes('?') ? '&' : '?'}${query}`
    const init = {
      credentials: 'include',
      headers: { ...headers, Accept: 'application/json' },
      signal,
    } as const
    const response = await fetch(address, { ...init, method: this.#method })
    if (this.#method === 'GET' || (response.status !== 404 && response.status !== 405)) return response
    // The azuqua server knows GET only.
    const second = await fetch(address, { ...init, method: 'GET' })
    if (second.ok) this.#method = 'GET'
    return second
  }

  async #read(response: Response): Promise<string> {
    const body = parse(await response.text())
    const { status } = response
    if (status >= 400 && status < 500 && !TRANSIENT.has(status)) {
      throw new RpcError('token_refused', errorOf(body), { status })
    }
    if (!response.ok) throw failed(errorOf(body) ?? `HTTP status ${status}`)
    if (body === undefined)
      throw failed(`not JSON${response.redirected ? `, after a redirect to ${response.url}` : ''}`)
    return tokenOf(body)
  }
}

/** @throws RpcError `token_failed`, `token_refused` */
function tokenOf(body: unknown): string {
  const error = errorOf(body)
  if (error !== undefined) throw new RpcError('token_refused', error)
  return checkToken(field(body, 'token'))
}

/** @throws RpcError `token_failed` unless it is a token */
export function checkToken(token: unknown): string {
  if (typeof token !== 'string' || token === '') throw failed('there is no token in the answer')
  if (token.length > NAME_LIMITS.token) throw failed('the token is too long')
  return token
}

/** Why there is no token. */
export function asTokenError(error: unknown): RpcError {
  return RpcError.is(error) && error.code.startsWith('token_') ? error : failed(reasonOf(error), error)
}

function errorOf(body: unknown): string | undefined {
  const error = field(body, 'error')
  return typeof error === 'string' && error !== '' ? error : undefined
}

function field(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

/** The body as JSON, `undefined` if it is none. */
function parse(text: string): unknown {
  try {
    return decodeData(text)
  } catch {
    return undefined
  }
}

function failed(why: string, cause?: unknown): RpcError {
  return new RpcError('token_failed', `The token request failed: ${why}`, undefined, cause)
}

function reasonOf(error: unknown): string {
  if (RpcError.is(error) && error.code === 'timeout') return 'no answer in time'
  return error instanceof Error ? error.message : String(error)
}

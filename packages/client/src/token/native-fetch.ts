import { pageFetch } from './page-fetch.js'
import type { TokenRequest, TokenResponse } from './token-request.js'

/**
 * Requests a URL with the cookies of its host. The browser decides which headers follow a redirect
 * to another origin.
 * @throws Error those of `fetch`. A browser hides from a page of another origin that the server
 *   refuses it: the text mentions that possibility, and `cause` is the browser's error
 */
export function fetchToken(url: string, request: TokenRequest): Promise<TokenResponse> {
  return pageFetch(url, request).catch((cause: Error) => {
    const { origin } = globalThis
    if (!origin || url.startsWith(`${origin}/`)) throw cause
    throw new Error(`${cause.message} (is ${origin} allowed?)`, { cause })
  })
}

import { pageFetch } from './page-fetch.js'
import type { TokenRequest, TokenResponse } from './token-request.js'

/**
 * Requests a URL with the cookies of its host. Browsers decide what goes with a redirect to another origin.
 * @throws Error as `fetch` does. A browser hides from a page of another origin that the server refuses it: the text
 *   says that this may be so, and `cause` is the browser's own error
 */
export function fetchToken(url: string, request: TokenRequest): Promise<TokenResponse> {
  return pageFetch(url, request).catch((cause: Error) => {
    const { origin } = globalThis
    if (!origin || url.startsWith(`${origin}/`)) throw cause
    throw new Error(`${cause.message} (is ${origin} allowed?)`, { cause })
  })
}

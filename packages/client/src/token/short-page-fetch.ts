import type { TokenRequest, TokenResponse } from './token-request.js'

/** Replaces `page-fetch` in the small scripts: every browser has `fetch`. */
export async function pageFetch(url: string, request: TokenRequest): Promise<TokenResponse> {
  return fetch(url, { ...request, credentials: 'include' })
}

import type { TokenRequest, TokenResponse } from './token-request.js'

/** Of `page-fetch`, for scripts whose bytes count: every browser has `fetch`. */
export async function pageFetch(url: string, request: TokenRequest): Promise<TokenResponse> {
  return fetch(url, { ...request, credentials: 'include' })
}

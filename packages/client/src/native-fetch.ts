/** The part of a `Response` that is read. */
export type TokenResponse = Pick<Response, 'ok' | 'status' | 'redirected' | 'url' | 'text'>

/** How a token is requested. */
export interface TokenRequest {
  readonly method: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Requests a URL with the cookies of its host. Browsers decide what goes with a redirect to another origin. */
export function fetchToken(url: string, request: TokenRequest): Promise<TokenResponse> {
  return fetch(url, { ...request, credentials: 'include' })
}

/** The part of a `Response` that is read. */
export interface TokenResponse extends Pick<Response, 'ok' | 'status' | 'redirected' | 'url' | 'text'> {
  readonly headers: Pick<Headers, 'get'>
}

/** The settings of a token request. */
export interface TokenRequest {
  readonly method: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

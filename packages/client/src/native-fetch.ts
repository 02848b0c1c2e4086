/** The part of a `Response` that is read. */
export type TokenResponse = Pick<Response, 'ok' | 'status' | 'redirected' | 'url' | 'headers' | 'text'>

/** How a token is requested. */
export interface TokenRequest {
  readonly method: 'POST' | 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/**
 * Requests a URL with the cookies of its host. Browsers decide what goes with a redirect to another origin.
 * @throws Error as `fetch` does. A browser hides from a page of another origin that the server refuses it: the text
 *   says that this may be so, and `cause` is the browser's own error
 */
export function fetchToken(url: string, request: TokenRequest): Promise<TokenResponse> {
  return fetch(url, { ...request, credentials: 'include' }).catch((cause: Error) => {
    const { origin } = globalThis
    if (!origin || new URL(url).origin === origin) throw cause
    throw new Error(`${cause.message} (is ${origin} allowed?)`, { cause })
  })
}

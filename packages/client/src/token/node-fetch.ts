import type { TokenRequest, TokenResponse } from './token-request.js'

/** The most redirects that are followed, as in browsers. */
const REDIRECTS = 20

/** Bytes of an answer that are read: many times the longest token. */
const LONGEST_ANSWER = 64 * 1024

/**
 * Requests a URL, and follows redirects. Headers, which may hold cookies and keys, are sent to the
 * origin of the URL only: Node's own `fetch` sends most of them to any host.
 * @throws TypeError those of `fetch`; Error after 20 redirects
 */
export async function fetchToken(url: string, request: TokenRequest): Promise<TokenResponse> {
  const { origin } = new URL(url)
  let { method } = request
  let next = url
  for (let count = 0; count <= REDIRECTS; count += 1) {
    const headers = new URL(next).origin === origin ? request.headers : {}
    const response = await fetch(next, { ...request, headers, method, redirect: 'manual' }).catch(explain)
    const target = targetOf(response)
    if (target === undefined) return answered(response, count > 0)
    // A POST becomes a GET, as in browsers, unless the status forbids that.
    if (response.status < 307) method = 'GET'
    next = new URL(target, next).href
    await response.body?.cancel()
  }
  throw new Error(`more than ${REDIRECTS} redirects`)
}

/** `fetch failed` does not say why; its cause does. */
function explain(error: Error): never {
  if (!error.cause) throw error
  const { code, message } = Object(error.cause) as { readonly code?: string; readonly message?: string }
  throw new TypeError(`${error.message}: ${code ?? message}`, { cause: error.cause })
}

function targetOf({ status, headers }: Response): string | undefined {
  return [301, 302, 303, 307, 308].includes(status) ? (headers.get('location') ?? undefined) : undefined
}

function answered(response: Response, redirected: boolean): TokenResponse {
  const { ok, status, url, headers } = response
  return { ok, status, redirected, url, headers, text: () => beginning(response) }
}

/**
 * Returns the beginning of an answer's text: an endless answer must not fill the memory. Leaving
 * the loop ends the request.
 */
async function beginning({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  if (!body) return text
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk.subarray(0, LONGEST_ANSWER), { stream: true })
    if (text.length >= LONGEST_ANSWER) break
  }
  return text + decoder.decode()
}

import type { IncomingMessage, ServerResponse } from 'node:http'

/** The headers that tell browsers which pages may read an answer. */
const HEADERS: ReadonlySet<string> = new Set([
  'vary',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
])

/**
 * Sets the CORS headers of an answer, and ignores later changes of them. sockjs would change them
 * on some of its transports, whatever its settings: it allows every origin, and `*` if there is
 * none.
 * @param isAllowed whether the page of that origin may read the answer
 */
export function answerOrigin(request: IncomingMessage, response: ServerResponse, isAllowed: boolean): void {
  const { origin, 'access-control-request-headers': headers } = request.headers
  response.setHeader('Vary', 'Origin')
  // Scripts and frames (jsonp-polling, htmlfile, the iframe page) need this header to load in pages
  // with `Cross-Origin-Embedder-Policy`.
  if (isAllowed) response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  if (isAllowed && origin !== undefined) {
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    if (headers !== undefined) response.setHeader('Access-Control-Allow-Headers', headers)
  }
  const { setHeader } = response
  // `writeHead` also sets headers by this method, because some are set already.
  response.setHeader = (name, value) =>
    HEADERS.has(name.toLowerCase()) ? response : setHeader.call(response, name, value)
}

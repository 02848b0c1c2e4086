import type { IncomingMessage, ServerResponse } from 'node:http'

/** The headers by which an answer tells browsers whose pages may read it. */
const HEADERS: ReadonlySet<string> = new Set([
  'vary',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
])

/**
 * Answers a request's origin, once and for all: what writes the response later cannot change it. (sockjs does so on
 * some of its transports, whatever its settings: it names every origin, and `*` where there is none.)
 * @param isAllowed whether the page of that origin may read the answer
 */
export function answerOrigin(request: IncomingMessage, response: ServerResponse, isAllowed: boolean): void {
  const { origin, 'access-control-request-headers': headers } = request.headers
  response.setHeader('Vary', 'Origin')
  // Scripts and frames (jsonp-polling, htmlfile, the iframe page) also load in pages that embed
  // only what says so (`Cross-Origin-Embedder-Policy`).
  if (isAllowed) response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin')
  if (isAllowed && origin !== undefined) {
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Access-Control-Allow-Credentials', 'true')
    if (headers !== undefined) response.setHeader('Access-Control-Allow-Headers', headers)
  }
  const { setHeader } = response
  // `writeHead` sets its headers by this too, as there are some already.
  response.setHeader = (name, value) =>
    HEADERS.has(name.toLowerCase()) ? response : setHeader.call(response, name, value)
}

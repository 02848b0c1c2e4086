import { CLOSE_CODES, ERRORS, type RpcError } from '@token-socket/protocol'
import type { Settings } from '../settings/options.js'
import { pageLocation } from '../settings/page-location.js'
import { parseUrl } from '../settings/parse-url.js'

/**
 * A remedy, and the failures that it is for: by code, and by the texts of the error and of its
 * causes.
 */
type Remedy = readonly [code: RegExp, text: RegExp, remedy: string]

const TOKEN = /^token_/
const SOCKET = /^transport_failed$/
const EARLY = /^(token_|transport_failed)/

const PROXIES =
  'If the page and the server have one origin, a proxy changes the Host header: remove `changeOrigin` (Vite), ' +
  'set `proxy_set_header Host $http_host` (nginx) or `ProxyPreserveHost On` (Apache).'
const ORIGINS = `Name this page's origin in the server's option \`origins\`. ${PROXIES}`
const SOCKET_PATH =
  "Compare `socketPrefix` with the server's `prefix`. Let the proxy pass this path on, with the Upgrade header. " +
  'Call `server.listen()` on the HTTP server that TokenSocketServer got: `app.listen()` makes another one.'
const HIDDEN = 'The browser tells the cause in its own console only.'
const POLICY = 'the policy of the page (`connect-src`) does not allow the URL'

const FOR_URL =
  'It gets `{ url }`, and has to give a URL with the same protocol, host and port, without a fragment. Path and query may change.'
const OTHERS =
  "Look at the listeners of the server's events `authentication` and `connected`, and at `use('authentication')`."

const LOG = 'The log of the server has the cause.'
const OWN_TOKEN = `The server refuses its key, its time or one of its claims. ${LOG}`
const REFUSED =
  "The server knows the user and refuses the socket: look at its `authentication`, at the listeners of that event, and at `use('authentication')`."

/** The first that fits counts. */
const REMEDIES: readonly Remedy[] = [
  [/^origin_refused$/, /./, ORIGINS],
  [
    EARLY,
    /loaded over HTTPS/,
    'Browsers allow no ws: URL in a page that came by https: write https:// in `host`.',
  ],
  [EARLY, /ENOTFOUND|EAI_AGAIN/, 'The name in `host` does not resolve: correct it, or look at the network.'],
  [
    EARLY,
    /ECONNREFUSED/,
    'Nothing listens there: start the server, or correct `host` and `port`. Without a protocol, `host` means http in Node.',
  ],
  [
    EARLY,
    /CERT|SELF_SIGNED|UNABLE_TO|certificate|altnames/i,
    "This program does not trust the server's certificate: correct it, or name its authority in NODE_EXTRA_CA_CERTS.",
  ],
  [
    EARLY,
    /EPROTO|SSL|TLS/i,
    'The server speaks no TLS at this port: write http:// in `host`, or correct the port.',
  ],
  [
    EARLY,
    /HPE_|Parse Error|UND_ERR_SOCKET|ECONNRESET|hang up/,
    'No HTTP server answers there: correct `host` and `port`, and write https:// for a server with TLS.',
  ],
  [
    TOKEN,
    /HTTP status 40[13]/,
    "Sign in first: the request needs the session's cookie, and the server's `authentication` has to find the user by it.",
  ],
  [
    TOKEN,
    /HTTP status 40[45]/,
    "There is no token route at this URL: compare `tokenPath` with the server's `tokenRoute`, and let the proxy pass the path on.",
  ],
  [TOKEN, /HTTP status 50[234]/, 'The proxy does not reach the server: look whether it runs.'],
  [
    TOKEN,
    /HTTP status 5/,
    'The log of the server has the cause. Often the session middleware is missing, or comes after TokenSocketServer.',
  ],
  [TOKEN, /HTTP status 4/, 'The server refuses the request: its log, or that of the proxy, has the cause.'],
  [
    TOKEN,
    /not JSON|no token in the answer/,
    'Something else answers, such as a login page or the development server: correct `host` and `tokenPath`, or proxy the path.',
  ],
  [
    TOKEN,
    /in time/,
    'The server does not answer: look for a firewall, or a middleware that never calls `next`.',
  ],
  [
    TOKEN,
    /allowed\?\)/,
    `${HIDDEN} The server does not run, or its \`origins\` lack the page's origin, or ${POLICY}.`,
  ],
  [TOKEN, /Failed to fetch|NetworkError|Load failed/, `${HIDDEN} The server does not run, or ${POLICY}.`],
  [SOCKET, /: forbidden/, `Most likely, ${POLICY}.`],
  [SOCKET, /server response: 403/, ORIGINS],
  [SOCKET, /server response: 50[234]/, 'The proxy does not reach the server: look whether it runs.'],
  [SOCKET, /./, SOCKET_PATH],
  [
    /^invalid_token$/,
    /./,
    'The server did not make this token, or it is too old: nodes need one `secret`, one engine and clocks that agree.',
  ],
  [
    /^(internal|nested_failed|veto_timeout)$/,
    /./,
    `An \`authentication\` listener or a middleware of the server failed. ${LOG}`,
  ],
  [
    /^too_many_sockets$/,
    /./,
    'Close sockets that are not needed, or raise `limits.socketsPerUser` of the server.',
  ],
  [
    /^timeout$/,
    /./,
    'Something else may answer at this path, or a proxy holds messages back. Give each server its own path.',
  ],
]

/** What the developer of a socket can do about a failure before the first `ready`. */
export function remedyOf(
  error: RpcError,
  { address, token, url }: Pick<Settings, 'address' | 'token' | 'url'>,
): string {
  if (/^(url_failed|bad_option)$/.test(error.code)) return FOR_URL
  if (token && TOKEN.test(error.code)) return 'It has to be a token, or a function that gives one.'
  if (token && error.code === 'invalid_token') return OWN_TOKEN
  const text = textsOf(error)
  const isMixed = pageLocation()?.protocol === 'https:' && address.http.startsWith('http:')
  if (isMixed && EARLY.test(error.code) && !/HTTP status/.test(text))
    return 'Browsers block http in a page that came by https: write https:// in `host`.'
  const found = REMEDIES.find(([code, texts]) => code.test(error.code) && texts.test(text))
  const remedy = (url && withoutToken(error)) ?? found?.[2] ?? (isRefusal(error) ? REFUSED : LOG)
  const hasPath = parseUrl(address.http)?.pathname !== '/'
  return hasPath ? `${remedy} All paths are below that of \`host\`.` : remedy
}

/** What is different about a connection without a token. */
function withoutToken(error: RpcError): string | undefined {
  const { code } = Object(error.data) as { readonly code?: unknown }
  if (code === CLOSE_CODES.auth_required.code || error.code === 'invalid_token')
    return 'The server lets no connection in without a token: give it the option `connectAuthentication`, or leave out `url`.'
  if (error.code === 'internal') return `The \`connectAuthentication\` of the server failed. ${LOG}`
  if (isRefusal(error))
    return `The server's \`connectAuthentication\` refuses the connection by its URL and headers. ${OTHERS}`
  return undefined
}

/** Whether it may be what an application refuses a sign-in with. */
function isRefusal({ code }: RpcError): boolean {
  return !Object.hasOwn(ERRORS, code) || /^(forbidden|application_error)$/.test(code)
}

/** The texts and codes of an error and of what caused it, as far as there are any. */
function textsOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 5) return ''
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: readonly unknown[] }
  const inner = [error.cause, ...(Array.isArray(errors) ? errors : [])]
  return [error.message, code, ...inner.map((one) => textsOf(one, depth + 1))].join(' ')
}

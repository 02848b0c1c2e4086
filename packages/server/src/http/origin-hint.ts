import type { IncomingHttpHeaders } from 'node:http'

/** A refused request, with what may explain why its host differs from its page's. */
export interface RefusedRequest {
  /** The page's origin, normalized; `null` is one. */
  readonly origin: string
  /** The host that it was compared with. */
  readonly host: string
  /** Whether the request is known to have used TLS. */
  readonly secure: boolean
  readonly headers: IncomingHttpHeaders
  /** The version of HTTP, such as `1.1`. */
  readonly httpVersion: string
}

/** A likely cause of a refused origin. */
export interface OriginHint {
  /** Its name. Clients cannot invent others. */
  readonly kind: string
  /** What to do about it. */
  readonly hint: string
}

interface Evidence extends RefusedRequest {
  readonly page: URL | undefined
  /** The host that the browser used, as a proxy reports it. */
  readonly forwardedHost: string | undefined
  /** Whether a proxy in front reports itself. */
  readonly isProxied: boolean
  /** Whether the browser reports that the page and the URL of its request have one origin. */
  readonly isOwnPage: boolean
}

interface Cause {
  readonly kind: string
  is(evidence: Evidence): boolean
  hint(evidence: Evidence): string
}

/** The most characters of a header that a hint quotes. */
const SHOWN = 100

const VITE = 'Vite and webpack: `changeOrigin: false` in the proxy of the development server'
const NGINX = 'nginx: `proxy_set_header Host $http_host;`'
const APACHE = 'Apache: `ProxyPreserveHost On`'

/** From the most to the least certain: the first that applies is named. */
const CAUSES: readonly Cause[] = [
  {
    kind: 'opaque',
    is: ({ origin }) => origin === 'null',
    hint: () =>
      "the page has no origin of its own (a file, a sandboxed iframe, or a redirect): serve it by HTTP, or add 'null' to `origins`",
  },
  {
    kind: 'app',
    is: ({ page }) => page !== undefined && !/^https?:$/.test(page.protocol),
    hint: ({ origin }) => `the page is an app's or an extension's: add '${shown(origin)}' to \`origins\``,
  },
  {
    kind: 'scheme',
    is: ({ page, host, secure }) => secure && page?.protocol === 'http:' && page.host === host,
    hint: ({ origin }) =>
      `the page came by http and its request by https: open the page by https, or add '${shown(origin)}' to \`origins\``,
  },
  {
    kind: 'trust proxy',
    is: ({ page, forwardedHost }) => page !== undefined && isHostOf(page, forwardedHost),
    hint: ({ headers }) => {
      const own = headers['x-forwarded-server'] === undefined ? 'let the proxy keep `Host`' : APACHE
      return `a proxy changes \`Host\` and says so, but is not trusted: app.set('trust proxy', …) with its address, or ${own}`
    },
  },
  {
    kind: 'port',
    is: ({ page, host }) => page !== undefined && page.port !== '' && page.hostname === host,
    hint: () => `a proxy drops the port of \`Host\`. ${NGINX}, instead of \`$host\``,
  },
  {
    kind: 'development proxy',
    is: ({ page, host, isOwnPage }) =>
      isLocal(page?.hostname) && isLocal(hostnameOf(host)) && isOwnPage && page?.host !== host,
    hint: () => `a proxy changes \`Host\`. ${VITE}`,
  },
  {
    kind: 'development server',
    is: ({ page, host }) => isLocal(page?.hostname) && isLocal(hostnameOf(host)),
    hint: ({ origin }) =>
      `if the page comes through a proxy: ${VITE}. Otherwise add '${shown(origin)}' to \`origins\``,
  },
  {
    kind: 'proxy',
    is: ({ isProxied, isOwnPage, host, httpVersion }) =>
      isProxied || isOwnPage || httpVersion === '1.0' || isInternal(hostnameOf(host)),
    hint: () => `a proxy changes \`Host\`. ${NGINX} ${APACHE}. ${VITE}`,
  },
  {
    kind: 'foreign',
    is: () => true,
    hint: ({ origin }) => `if the page is yours, add '${shown(origin)}' to \`origins\``,
  },
]

/**
 * Returns the most likely reason why a page of the same site looks foreign, and what to do about
 * it.
 */
export function originHint(request: RefusedRequest): OriginHint {
  const { headers, origin } = request
  const forwardedHost = first(headers['x-forwarded-host'])
  const evidence: Evidence = {
    ...request,
    page: URL.canParse(origin) ? new URL(origin) : undefined,
    forwardedHost,
    isProxied: PROXY_HEADERS.some((name) => headers[name] !== undefined),
    isOwnPage: headers['sec-fetch-site'] === 'same-origin',
  }
  const { kind, hint } = CAUSES.find((cause) => cause.is(evidence)) as Cause
  return { kind, hint: hint(evidence) }
}

const PROXY_HEADERS = [
  'via',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]

function first(header: string | string[] | undefined): string | undefined {
  return header === undefined ? undefined : String(header).split(',', 1)[0]?.trim()
}

function isHostOf(page: URL, host: string | undefined): boolean {
  const url = `${page.protocol}//${host}`
  return host !== undefined && URL.canParse(url) && new URL(url).host === page.host
}

function hostnameOf(host: string): string | undefined {
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined
}

function isLocal(hostname: string | undefined): boolean {
  return (
    hostname !== undefined && /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(hostname)
  )
}

/**
 * Whether no browser is likely to use this host: the name of an upstream or a container, or a
 * private address.
 */
function isInternal(hostname: string | undefined): boolean {
  if (hostname === undefined || isLocal(hostname)) return true
  return !hostname.includes('.') || /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))(\.\d+){2,3}$/.test(hostname)
}

function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}

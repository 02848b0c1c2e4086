import { badOption } from './bad-option.js'

/** Where the server is, without a slash at the end. */
export interface Address {
  /** For HTTP requests and SockJS, such as `https://example.com:8443`. */
  readonly http: string
  /** The same for WebSockets, such as `wss://example.com:8443`. */
  readonly websocket: string
}

const HAS_PROTOCOL = /^[a-z][a-z\d+.-]*:\/\//i
const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['http:', 'http'],
  ['https:', 'https'],
  ['ws:', 'http'],
  ['wss:', 'https'],
])

/**
 * Reads the options `host` and `port`.
 *
 * @param host `https://example.com:8443`, `example.com:8000`, `example.com`, also with a path that all routes are
 *   below; without a protocol the page's own is used, and `http` in Node. Left out, it is the page's own.
 * @throws RpcError `bad_option`
 */
export function readAddress(host: string | undefined, port: number | undefined): Address {
  const page = pageAddress()
  const text = host || page?.host
  if (!text) throw badOption('host', 'given: there is no page whose host could be used')
  const url = parse(HAS_PROTOCOL.test(text) ? text : `${page?.protocol ?? 'http:'}//${text}`)
  if (port !== undefined) url.port = String(port)
  const scheme = PROTOCOLS.get(url.protocol)
  if (!scheme) throw badOption('host', 'a host name, or an http or https URL')
  const rest = `://${url.host}${url.pathname.replace(/\/+$/, '')}`
  return { http: scheme + rest, websocket: (scheme === 'https' ? 'wss' : 'ws') + rest }
}

/** The page's own address; `undefined` outside browsers. A page from a file has a protocol of no use. */
function pageAddress(): { readonly host: string; readonly protocol: string } | undefined {
  const { location } = globalThis as { location?: Location }
  if (!location) return undefined
  return { host: location.host, protocol: location.protocol === 'https:' ? 'https:' : 'http:' }
}

function parse(text: string): URL {
  try {
    return new URL(text)
  } catch {
    throw badOption('host', 'a host name, or an http or https URL')
  }
}

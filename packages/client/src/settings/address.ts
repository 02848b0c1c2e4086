import { badOption } from '@token-socket/protocol'
import { pageLocation } from './page-location.js'
import { parseUrl } from './parse-url.js'

/** The server's address, without a slash at the end. */
export interface Address {
  /** For HTTP requests and SockJS, such as `https://example.com:8443`. */
  readonly http: string
  /** The same for WebSockets, such as `wss://example.com:8443`. */
  readonly websocket: string
}

const HAS_PROTOCOL = /^[a-z][a-z\d+.-]*:\/\//i
/** Its first group says whether the connection is secure. */
const PROTOCOL = /^(?:http|ws)(s?):$/
/** A user name before the host: `ann:secret@example.com`. */
const CREDENTIALS = /^([^/?#\\]*[/\\]{2})?[^/?#\\]*@/

/**
 * Reads the options `host` and `port`.
 *
 * @param host `https://example.com:8443`, `example.com:8000`, `example.com`, also with a path that all routes are
 *   below; without a protocol the page's own is used, and `http` in Node. Left out, it is the page's own, if the page
 *   came by HTTP: the host of an `app:`, `capacitor:` or `file:` page, or of an extension's, is no server.
 * @throws RpcError `bad_option`
 */
export function readAddress(host: string | undefined, port: number | undefined): Address {
  const page = pageLocation()
  const text = host || (/^https?:/.test(page?.protocol ?? '') && page?.host)
  if (!text) throw badOption('host', 'given: no page came from it')
  // The protocol of a page from a file is of no use.
  const protocol = page?.protocol === 'https:' ? 'https:' : 'http:'
  const url = parseUrl(HAS_PROTOCOL.test(text) ? text : `${protocol}//${text}`, port)
  const [, secure] = PROTOCOL.exec(url?.protocol ?? '') ?? []
  // The browser would drop them, or refuse each request.
  if (!url || secure === undefined || CREDENTIALS.test(text))
    throw badOption('host', 'a host name, or an http or https URL, without credentials')
  const rest = `${secure}://${url.host}${url.pathname.replace(/\/+$/, '')}`
  return { http: `http${rest}`, websocket: `ws${rest}` }
}

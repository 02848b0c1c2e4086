import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { copied } from '../runtime/copied.js'
import { handleRejection } from '../runtime/isolated.js'
import { withoutPort } from './address-block.js'

/**
 * Whether Express trusts the proxy at this address, this number of hops away: its `trust proxy fn`.
 */
export type TrustProxy = (address: string, hop: number) => boolean

/**
 * The `trust proxy` function of an Express application, made safe: one that throws, or returns a promise, trusts no proxy.
 * The transports ask it outside Express, where what it throws would end the process.
 * @param failed receives what it throws
 */
export function trustOf(
  app: { get(setting: string): unknown },
  failed: (cause: unknown, details: object) => void,
): TrustProxy {
  const report = (cause: unknown) => failed(cause, { option: 'trust proxy' })
  return (address, hop) => {
    try {
      const answer: unknown = (app.get('trust proxy fn') as TrustProxy)(address, hop)
      return Boolean(answer) && !handleRejection(answer, report)
    } catch (cause) {
      report(cause)
      return false
    }
  }
}

/** The address of a request, as its browser used it. */
export interface RequestAddress {
  readonly host: string | undefined
  /** Whether the request is known to have used TLS. */
  readonly secure: boolean
}

/**
 * Returns the host and scheme of a request, from `X-Forwarded-*` if the proxy in front is trusted.
 */
export function requestAddress(request: IncomingMessage, trusts: TrustProxy): RequestAddress {
  const { headers, socket } = request
  const isTrusted = trusts(socket.remoteAddress ?? '', 0)
  const forwarded = (name: string) =>
    isTrusted
      ? String(headers[name] ?? '')
          .split(',')[0]
          ?.trim()
      : ''
  return {
    // Over HTTP/2 a browser sends the host in `:authority` only. No header of HTTP/1 has such a
    // name.
    host: forwarded('x-forwarded-host') || authorityOf(headers) || headers.host,
    secure: isTls(socket) || forwarded('x-forwarded-proto') === 'https',
  }
}

/** Whether a socket is TLS. In Bun every socket has the property. */
export function isTls(socket: object): boolean {
  return (socket as { readonly encrypted?: boolean }).encrypted === true
}

function authorityOf(headers: IncomingHttpHeaders): string {
  return String(headers[':authority'] ?? '')
}

/** Returns the host name of a request without its port, as Express's `request.hostname`. */
export function hostName(request: IncomingMessage, trusts: TrustProxy): string | undefined {
  const { host } = requestAddress(request, trusts)
  return host?.replace(/:\d*$/, '')
}

/**
 * Returns the addresses that trusted proxies have added, without ports, the client's first, as
 * Express's `request.ips`.
 */
export function clientAddresses(request: IncomingMessage, trusts: TrustProxy): string[] {
  const path = pathOf(request)
  const client = path.findIndex((address, hop) => hop === path.length - 1 || !trusts(address, hop))
  return path
    .slice(1, client + 1)
    .map(copied)
    .reverse()
}

/**
 * Returns the address of a request's client, without a port: the nearest address that is not a
 * trusted proxy's.
 */
export function clientAddress(request: IncomingMessage, trusts: TrustProxy): string {
  const path = pathOf(request)
  const found = path.find((address, hop) => hop === path.length - 1 || !trusts(address, hop)) ?? ''
  // It is kept for as long as the connection exists.
  return path.length === 1 ? found : copied(found)
}

/** Returns the peer's address, and the addresses of the headers: the nearest comes first. */
function pathOf({ headers, socket }: IncomingMessage): string[] {
  const hops = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => withoutPort(hop.trim()))
    .filter((hop) => hop !== '')
    .reverse()
  return [socket.remoteAddress ?? '', ...hops]
}

import { Server as TcpServer } from 'node:net'

/** Describes a wrong value in error texts: `a number`, `an Express application`. */
export function describeGiven(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (isExpress(value)) return 'an Express application'
  if (isHttpServer(value)) return 'an HTTP server'
  if (value instanceof TcpServer) return 'a server of TCP or TLS'
  if (typeof value === 'function') return hasMethods(value, ['route', 'use']) ? 'a Router' : 'a function'
  if (typeof value !== 'object') return `a ${typeof value}`
  if (Array.isArray(value)) return 'a list'
  const { name } = Object(Object.getPrototypeOf(value)?.constructor) as { readonly name?: unknown }
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of ${name}` : 'an object'
}

/**
 * Whether a value is an Express application. A router has most of its methods, but neither its
 * settings nor its request.
 */
export function isExpress(app: unknown): boolean {
  return typeof app === 'function' && hasMethods(app, ['get', 'post', 'options', 'set']) && 'request' in app
}

/**
 * Whether a value has what the servers of Node's `http`, `https` and `http2` have in common, or
 * wraps one of them.
 */
export function isHttpServer(server: unknown): server is object {
  return typeof server === 'object' && server !== null && hasMethods(server, SERVER_METHODS)
}

/**
 * Whether an HTTP server accepts clients of HTTP/1.1. An HTTP/2 server does so only with TLS and
 * `allowHTTP1`. Without TLS it has settings of HTTP/2, and none of TLS.
 */
export function takesHttp1(server: object): boolean {
  if (!hasMethods(server, ['updateSettings'])) return true
  if (!hasMethods(server, ['setSecureContext'])) return false
  const { ALPNProtocols: protocols } = server as { readonly ALPNProtocols?: unknown }
  return !Buffer.isBuffer(protocols) || protocols.includes('http/1.1')
}

const SERVER_METHODS = ['on', 'emit', 'removeListener', 'listen', 'address', 'close', 'setTimeout']

/** Whether an object has all of these functions. */
export function hasMethods(value: object, names: readonly string[]): boolean {
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

import { Server as TcpServer } from 'node:net'

/** What an application gave where something else was wanted, for texts of errors: `a number`, `an Express application`. */
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

/** Whether it is an Express application. A router has most of its methods, but neither its settings nor its requests. */
export function isExpress(app: unknown): boolean {
  return typeof app === 'function' && hasMethods(app, ['get', 'post', 'options', 'set']) && 'request' in app
}

/** What only the servers of Node's `http`, `https` and `http2` have together, and a wrapper around one of them. */
export function isHttpServer(server: unknown): server is object {
  return typeof server === 'object' && server !== null && hasMethods(server, SERVER_METHODS)
}

/**
 * Whether an HTTP server hears clients of HTTP/1.1: one of HTTP/2 does with TLS and `allowHTTP1`
 * only. Without TLS it has settings of HTTP/2 and none of TLS.
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

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Who answers the requests of one path prefix. */
export interface Interceptor {
  /** Whether a request is for this interceptor. @param path the URL's path */
  matches(path: string): boolean
  request(request: IncomingMessage, response: ServerResponse): void
  /** Left out, upgrades go on to the others. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/**
 * Takes one prefix's requests and upgrades out of an HTTP server before any of its listeners sees them. All else
 * goes on as it was, whoever listens and whenever they began: the application, and other WebSocket servers.
 *
 * `emit` is wrapped, since listeners cannot keep an event from one another: `ws`, for one, refuses upgrades of paths
 * that it does not know, and Express would answer 404.
 * @returns undoes it
 */
export function intercept(server: Server, interceptor: Interceptor): () => void {
  const { emit } = server
  let isUndone = false
  const wrapped = function (this: Server, event: string, ...args: unknown[]): boolean {
    const takes = event === 'request' || (event === 'upgrade' && interceptor.upgrade !== undefined)
    const isOfInterest = !isUndone && takes
    if (!isOfInterest || !interceptor.matches(pathOf(args[0] as IncomingMessage))) {
      return Reflect.apply(emit, server, [event, ...args])
    }
    if (event === 'request') interceptor.request(args[0] as IncomingMessage, args[1] as ServerResponse)
    else interceptor.upgrade?.(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)
    return true
  } as Server['emit']
  server.emit = wrapped
  // Without a listener for upgrades, Node passes them on as plain requests.
  if (interceptor.upgrade) server.on('upgrade', refuseUnwanted)
  return () => {
    if (isUndone) return
    isUndone = true
    // Where another was put around this one, it stays and lets everything through.
    if (server.emit === wrapped) server.emit = emit
    server.removeListener('upgrade', refuseUnwanted)
  }
}

/** The path of a request's URL, without its query. */
export function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split(/[?#]/, 1)
  return path
}

/** Milliseconds that a client whose upgrade was refused has to take the answer and close. */
const CLOSE_TIMEOUT = 2000

/** Ends an upgrade that nobody wants. */
export function refuseUpgrade(socket: Duplex, status = '404 Not Found', ...headers: readonly string[]): void {
  socket.on('error', () => {})
  // What is not read keeps the socket open, and closing with it unread would take the answer back.
  socket.resume()
  socket.once('finish', () => setTimeout(() => socket.destroy(), CLOSE_TIMEOUT).unref())
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers]
  socket.end(`${lines.join('\r\n')}\r\n\r\n`)
}

/** Upgrades that no interceptor took, where nobody else listens, would wait for ever. */
function refuseUnwanted(this: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const isWanted = this.listeners('upgrade').some((listener) => listener !== refuseUnwanted)
  if (isWanted || socket.writableEnded || replayed.has(request)) return
  if (request.headers.upgrade?.toLowerCase() === 'websocket') return refuseUpgrade(socket)
  replayed.add(request)
  replay(this, request, [socket, head])
}

/** Each interceptor of a server has its own listener: the first does it. */
const replayed = new WeakSet<IncomingMessage>()

/**
 * Has the server read a request again, without its `Upgrade`: clients that would like another protocol, such as HTTP/2
 * (Java's offers it with every request), take a plain answer, which is what they get where nobody listens for upgrades.
 */
function replay(server: Server, request: IncomingMessage, [socket, head]: readonly [Duplex, Buffer]): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value] = rawHeaders.slice(index, index + 2)
    if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket)
}

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Who answers the requests of one path prefix. */
export interface Interceptor {
  /** Whether a request is for this interceptor. @param path the URL's path */
  matches(path: string): boolean
  request(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
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
  const wrapped = function (this: Server, event: string, ...args: unknown[]): boolean {
    if (
      (event === 'request' || event === 'upgrade') &&
      interceptor.matches(pathOf(args[0] as IncomingMessage))
    ) {
      if (event === 'request') interceptor.request(args[0] as IncomingMessage, args[1] as ServerResponse)
      else interceptor.upgrade(args[0] as IncomingMessage, args[1] as Duplex, args[2] as Buffer)
      return true
    }
    // Nobody else takes upgrades: then they end here, or they would wait for ever.
    if (event === 'upgrade' && server.listenerCount('upgrade') === 1) refuseUpgrade(args[1] as Duplex)
    return Reflect.apply(emit, server, [event, ...args])
  } as Server['emit']
  server.emit = wrapped
  // Without a listener of its own for upgrades, Node passes them on as plain requests.
  server.on('upgrade', ignore)
  return () => {
    if (server.emit === wrapped) server.emit = emit
    server.removeListener('upgrade', ignore)
  }
}

/** The path of a request's URL, without its query. */
export function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split(/[?#]/, 1)
  return path
}

/** Ends an upgrade that nobody wants. */
export function refuseUpgrade(socket: Duplex, status = '404 Not Found'): void {
  socket.on('error', () => {})
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

function ignore(): void {}

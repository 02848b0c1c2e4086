import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { encodeData } from '@token-socket/protocol'
import { processWide } from '../runtime/process-wide.js'
import { intercept } from './intercept.js'
import type { ServerHealth } from './server-health.js'

/**
 * Answers the health checks of load balancers: 200, or 503 once the server is shutting down. A
 * degraded server answers 200: its sockets stay, its local calls continue, and other nodes share
 * its engine, so that traffic would be no better off there. The route comes before the application,
 * which would fail if its session store is unavailable.
 */
export class HealthRoute {
  readonly #path: string
  readonly #health: () => ServerHealth

  constructor(path: string, health: () => ServerHealth) {
    this.#path = path
    this.#health = health
  }

  matches(path: string): boolean {
    return path === this.#path
  }

  request({ method }: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Cache-Control', 'no-store')
    if (method !== 'GET' && method !== 'HEAD') {
      return void response.writeHead(405, { Allow: 'GET, HEAD' }).end()
    }
    const health = this.#health()
    const body = encodeData(health)
    response.writeHead(health.status === 'shutting_down' ? 503 : 200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'X-Content-Type-Options': 'nosniff',
    })
    response.end(method === 'HEAD' ? undefined : body)
  }
}

/** The health routes of servers that were shut down, by HTTP server. */
const closed = processWide<Server, Set<() => void>>('closed health routes 1')

/**
 * Adds a health route to an HTTP server, instead of the routes of servers that were shut down.
 * @param route `undefined` for none: then it only removes those
 * @returns a function to call at the shutdown: the route then stays until the next one is added,
 *   unless the shutdown is final
 */
export function mountHealthRoute(server: Server, route: HealthRoute | undefined): (isFinal: boolean) => void {
  const leftovers = closed.get(server) ?? new Set()
  closed.set(server, leftovers)
  for (const remove of leftovers) remove()
  leftovers.clear()
  if (!route) return () => {}
  const remove = intercept(server, route)
  return (isFinal) => {
    leftovers.add(remove)
    if (!isFinal) return
    leftovers.delete(remove)
    remove()
  }
}

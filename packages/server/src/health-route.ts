import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeData } from '@token-socket/protocol'
import type { ServerHealth } from './server-health.js'

/**
 * Answers load balancers that ask how the server is: 200, or 503 once it is shutting down. It is degraded with 200: its
 * sockets stay and its local calls go on, and the other nodes share its engine, so that traffic is nowhere better off. It
 * stands before the application: sessions in a store that is away would make it fail.
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

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { failUpgrade, type Interceptor, pathOf, refuseUpgrade } from '../http/intercept.js'
import type { OriginRules } from '../http/origins.js'
import { LONGEST_URL, refusalOfSize, SIGNED_URL } from '../http/upgrade-size.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import type { ConnectionLimiter } from './connection-limiter.js'
import { answerOrigin } from './cors.js'
import type { GateLog } from './gate-log.js'
import { refuse } from './plain-answers.js'
import type { Exchange, ServerTransport } from './server-transport.js'

/** Settings of {@link Gate}, and its transports. */
export interface GateOptions {
  readonly prefix: string
  /** The path of the health route, which another handler serves. @default none */
  readonly healthRoute?: string | false
  readonly origins: OriginRules
  /** The transports. A request or upgrade that none of them accepts is answered 404. */
  readonly transports: readonly ServerTransport[]
  readonly limiter: ConnectionLimiter
  /** Queues upgrades. */
  readonly throttle: Pick<TurnThrottle, 'run'>
  /**
   * Whether upgrades may have credentials in their URLs, which may be longer then. @default false
   */
  readonly keepsRequests?: boolean
  readonly log: GateLog
  /**
   * An error was thrown while a request or an upgrade was answered. The request has been answered
   * 500.
   */
  failed(cause: unknown): void
  /** Public files, by their names under the prefix. @default none */
  readonly files?:
    | {
        has(name: string): boolean
        handle(request: IncomingMessage, response: ServerResponse, name: string): void
      }
    | undefined
}

/**
 * Checks every request and upgrade before a transport gets it. It refuses wrong origins, requests
 * that are too long, and those over a limit. It passes all others to the transport of their path.
 */
export class Gate implements Interceptor {
  readonly #options: GateOptions

  constructor(options: GateOptions) {
    this.#options = options
  }

  matches(path: string): boolean {
    const { prefix, healthRoute } = this.#options
    if (path === healthRoute) return false
    return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const { files, origins } = this.#options
    const path = this.#pathUnder(request)
    const name = path.slice(1)
    if (files?.has(name)) return files.handle(request, response, name)
    const origin = origins.judge(request)
    answerOrigin(request, response, origin.allowed)
    if (!origin.allowed) return refuse(response, 403, 'Forbidden')
    const transport = this.#transportOf('request', path)
    if (!transport) return this.#refuseUnknown([request, response], path)
    // Sessions keep the URL as long as they exist.
    if ((request.url ?? '').length > LONGEST_URL)
      return this.#refuse([request, response], 414, 'URI Too Long')
    transport.request?.([request, response], { path, origin })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { origins, keepsRequests } = this.#options
    const path = this.#pathUnder(request)
    if (!origins.judge(request).allowed) return refuseUpgrade(socket, '403 Forbidden')
    const transport = this.#transportOf('upgrade', path)
    if (!transport) return this.#refuseUpgrade(request, socket)
    const tooLarge = refusalOfSize(request, keepsRequests ? SIGNED_URL : LONGEST_URL)
    if (tooLarge) return this.#refuseUpgrade(request, socket, tooLarge)
    // RFC 6455, section 4.1, and RFC 9110, section 15.5.6.
    if (request.method !== 'GET')
      return this.#refuseUpgrade(request, socket, '405 Method Not Allowed', 'Allow: GET')
    if (request.headers['sec-websocket-version'] !== '13') {
      // RFC 6455, section 4.2.2: the answer names the supported version.
      return this.#refuseUpgrade(request, socket, '400 Bad Request', 'Sec-WebSocket-Version: 13')
    }
    this.#inTurn(request, socket, () => transport.upgrade?.(request, socket, { path, head }))
  }

  failed(cause: unknown): void {
    this.#options.failed(cause)
  }

  unwanted(request: IncomingMessage): void {
    this.#options.log.unwanted(request)
  }

  #transportOf(kind: 'request' | 'upgrade', path: string): ServerTransport | undefined {
    return this.#options.transports.find(({ paths }) => paths[kind]?.(path))
  }

  #inTurn(request: IncomingMessage, socket: Duplex, upgrade: () => void): void {
    const { limiter, throttle } = this.#options
    const address = limiter.addressOf(request)
    const full = limiter.refusalFor(address)
    if (socket.destroyed) return
    if (full) return refuseUpgrade(socket, full === 503 ? '503 Service Unavailable' : '429 Too Many Requests')
    const begin = limiter.addWaiting()
    limiter.addUntilClosed(address, socket)
    // The HTTP server does not listen for the socket's errors while it waits.
    socket.on('error', ignore)
    throttle.run(() => {
      begin()
      socket.off('error', ignore)
      try {
        upgrade()
      } catch (cause) {
        this.failed(cause)
        failUpgrade(socket)
      }
    })
  }

  #refuseUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    status = '404 Not Found',
    ...headers: readonly string[]
  ): void {
    this.#options.log.upgrade(request, status)
    refuseUpgrade(socket, status, ...headers)
  }

  /** Refuses a request whose path no transport serves. */
  #refuseUnknown(exchange: Exchange, path: string): void {
    if (!this.#transportOf('upgrade', path)) return this.#refuse(exchange, 404, 'Not found')
    exchange[1].setHeader('Upgrade', 'websocket')
    this.#refuse(exchange, 426, 'Upgrade Required')
  }

  #refuse([request, response]: Exchange, status: number, text: string): void {
    this.#options.log.request(request, status, text)
    refuse(response, status, text)
  }

  /** Returns the path without the prefix. */
  #pathUnder(request: IncomingMessage): string {
    return pathOf(request).slice(this.#options.prefix.length)
  }
}

/**
 * Ignores the errors of a waiting connection: it also closes, which is checked when its turn comes.
 */
function ignore(): void {}

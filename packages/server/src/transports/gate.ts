import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { clientAddress, type TrustProxy } from '../forwarded.js'
import type { OriginRules, RequestOrigin } from '../origins.js'
import type { Turnstile } from '../turnstile.js'
import { answerOrigin } from './cors.js'
import { type Interceptor, pathOf, refuseUpgrade } from './intercept.js'
import { batchLimit } from './message-limit.js'
import { PollingSessions } from './polling-sessions.js'
import type { TransportSet } from './transport-names.js'

/** Settings of {@link Gate}, and what is behind it. */
export interface GateOptions {
  readonly prefix: string
  /** The path of the health route, which somebody else answers. @default none */
  readonly healthRoute?: string | false
  readonly origins: OriginRules
  readonly trusts: TrustProxy
  /** What is on. All else is answered 404. */
  readonly transports: TransportSet
  /** Bytes that one message may have; the body of an `xhr_send` or a `jsonp_send` may bring several. */
  readonly maxPayload: number
  /** How many connections and polling sessions there may be; one more is answered 503. */
  readonly connections: number
  /** What upgrades wait at. */
  readonly turnstile: Pick<Turnstile, 'pass'>
  /** Takes the upgrades. */
  readonly websocket: {
    readonly size: number
    upgrade(request: IncomingMessage, socket: Duplex, how: readonly [Buffer, 'plain' | 'sockjs']): void
  }
  readonly sockjs: { handle(request: IncomingMessage, response: ServerResponse): void }
  /** Files for everybody, by their names under the prefix. @default none */
  readonly files?:
    | {
        has(name: string): boolean
        handle(request: IncomingMessage, response: ServerResponse, name: string): void
      }
    | undefined
}

/** What a path under the prefix asks for, as SockJS lays it out: `/<server>/<session>/<transport>`. */
interface Target {
  readonly session: string
  readonly transport: string
}

/** As SockJS has it: no slash, no dot, not empty. Nor what Node's old URL parser would change after us (`\`, `"`, `{`). */
const TARGET = /^\/[\w!$&()*+,;=:@%~-]{1,128}\/([\w!$&()*+,;=:@%~-]{1,128})\/([a-z_]+)\/?$/

/** What else sockjs may see always. Not `/chunking_test`, which no client asks for since SockJS 0.3: it reads bodies of any size. */
const OPEN = /^\/?$|^\/info\/?$/

const PLAIN_WEBSOCKET = /^\/websocket\/?$/

const IFRAME_PAGE = /^\/iframe[\w.-]*\.html\/?$/

/**
 * Stands in front of every transport: what comes from a wrong origin, with a wrong session id, to a session of
 * somebody else, or with too large a body never reaches them.
 */
export class Gate implements Interceptor {
  readonly #options: GateOptions
  readonly #sessions = new PollingSessions()

  constructor(options: GateOptions) {
    this.#options = options
  }

  matches(path: string): boolean {
    const { prefix, healthRoute } = this.#options
    if (path === healthRoute) return false
    return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
  }

  request(request: IncomingMessage, response: ServerResponse): void {
    const { files } = this.#options
    const name = this.#pathUnder(request).slice(1)
    if (files?.has(name)) return files.handle(request, response, name)
    const from = this.#options.origins.judge(request)
    answerOrigin(request, response, from.allowed)
    if (!from.allowed) return refuse(response, 403, 'Forbidden')
    const target = this.#target(request)
    if (!this.#isServed(request, target)) return refuse(response, 404, 'Not found')
    if (!target || request.method === 'OPTIONS') return this.#options.sockjs.handle(request, response)
    this.#poll(request, response, { ...target, holder: this.#holder(request, from) })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { transports, prefix, origins, turnstile } = this.#options
    const isPlain = pathOf(request) === `${prefix}/websocket`
    if (!origins.judge(request).allowed) return refuseUpgrade(socket, '403 Forbidden')
    const isWanted = isPlain || this.#target(request)?.transport === 'websocket'
    if (!isWanted || !transports.has('websocket')) return refuseUpgrade(socket)
    // RFC 6455, section 4.1, and RFC 9110, section 15.5.6.
    if (request.method !== 'GET') return refuseUpgrade(socket, '405 Method Not Allowed', 'Allow: GET')
    if (request.headers['sec-websocket-version'] !== '13') {
      // RFC 6455, section 4.2.2: the answer names the version that would do.
      return refuseUpgrade(socket, '400 Bad Request', 'Sec-WebSocket-Version: 13')
    }
    // Nobody else listens to it while it waits.
    socket.on('error', ignore)
    turnstile.pass(() => {
      socket.off('error', ignore)
      if (this.#isFull()) return refuseUpgrade(socket, '503 Service Unavailable')
      this.#options.websocket.upgrade(request, socket, [head, isPlain ? 'plain' : 'sockjs'])
    })
  }

  /** A polling session is over. @param path the path of any of its requests */
  ended(path: string): void {
    const [, session] = TARGET.exec(path.slice(this.#options.prefix.length)) ?? []
    if (session !== undefined) this.#sessions.release(session)
  }

  #isFull(): boolean {
    return this.#options.websocket.size + this.#sessions.size >= this.#options.connections
  }

  #target(request: IncomingMessage): Target | undefined {
    const [, session, transport] = TARGET.exec(this.#pathUnder(request)) ?? []
    return session === undefined || transport === undefined ? undefined : { session, transport }
  }

  #isServed(request: IncomingMessage, target: Target | undefined): boolean {
    const { transports } = this.#options
    if (target) return !(target.session in {}) && transports.uses(target.transport)
    const path = this.#pathUnder(request)
    if (PLAIN_WEBSOCKET.test(path)) return transports.has('websocket')
    return OPEN.test(path) || (transports.has('iframe') && IFRAME_PAGE.test(path))
  }

  /** The path without the prefix. */
  #pathUnder(request: IncomingMessage): string {
    return pathOf(request).slice(this.#options.prefix.length)
  }

  #holder(request: IncomingMessage, { origin, isForeign }: RequestOrigin): string {
    return `${clientAddress(request, this.#options.trusts)} ${isForeign ? origin : ''}`
  }

  #poll(
    request: IncomingMessage,
    response: ServerResponse,
    target: Target & { readonly holder: string },
  ): void {
    const { session, transport, holder } = target
    if (transport.endsWith('_send')) {
      if (!this.#sessions.belongs(session, holder)) return refuse(response, 404, 'Not found')
      const limit = batchLimit(this.#options.maxPayload, transport === 'xhr_send' ? 'quoted' : 'form')
      return void this.#send(request, response, limit)
    }
    const isNew = !this.#sessions.has(session)
    if (isNew && this.#isFull()) return refuse(response, 503, 'Too many connections')
    if (!this.#sessions.claim(session, holder)) return refuse(response, 404, 'Not found')
    this.#options.sockjs.handle(request, response)
    // sockjs opens no session for what it refuses.
    if (isNew && response.statusCode >= 400) this.#sessions.release(session)
  }

  /** sockjs reads bodies of any size, slowly; it gets this one whole, once it is known to be small enough. */
  async #send(request: IncomingMessage, response: ServerResponse, limit: number): Promise<void> {
    const body = await readBody(request, limit)
    if (body === 'too_large') return refuse(response, 413, `Too large (limit ${limit} bytes)`)
    if (body === undefined) return
    const { headers, method, url, httpVersion } = request
    const replay = Object.assign(Readable.from([body]), { headers, method, url, httpVersion })
    this.#options.sockjs.handle(replay as unknown as IncomingMessage, response)
  }
}

/** A connection that breaks while it waits closes, too, which is seen when its turn comes. */
function ignore(): void {}

/** A request's body, `too_large`, or `undefined` if the request broke off. */
function readBody(request: IncomingMessage, limit: number): Promise<Buffer | 'too_large' | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > limit) return Promise.resolve('too_large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) resolve('too_large')
      else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('close', () => resolve(undefined))
  })
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' })
  response.end(`${text}\n`)
}

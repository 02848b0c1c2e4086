import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { clientAddress, type TrustProxy } from '../forwarded.js'
import { addressBlock } from '../http/address-block.js'
import { LONGEST_URL, refusalOfSize, SIGNED_URL } from '../http/upgrade-size.js'
import type { OriginRules, RequestOrigin } from '../origins.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { Turnstile } from '../turnstile.js'
import { answerOrigin } from './cors.js'
import { GateLog, type ReachedLimit } from './gate-log.js'
import { failRequest, failUpgrade, type Interceptor, pathOf, refuseUpgrade } from './intercept.js'
import { authLimit, batchLimit, isBodyTooComplex, type Writing } from './message-limit.js'
import { dismiss, refuse, type SendTransport } from './plain-answers.js'
import { type PollingSession, PollingSessions, type SessionConnection } from './polling-sessions.js'
import { type BodyFailure, type BodyLimits, RequestBodies } from './request-bodies.js'
import { readSessionPath, type SessionPath } from './session-path.js'
import type { TransportSet } from './transport-names.js'
import type { UpgradeTransport } from './upgrade-transport.js'

/** Limits of {@link Gate}. */
export interface GateLimits extends BodyLimits {
  /** UTF-16 code units that the first message of a session may have. */
  readonly authMessage: number
  /** How many connections and polling sessions one address may have; one more is answered 429. */
  readonly connectionsPerAddress: number
}

/** Settings of {@link Gate}, and what is behind it. */
export interface GateOptions {
  readonly prefix: string
  /** The path of the health route, which another handler answers. @default none */
  readonly healthRoute?: string | false
  readonly origins: OriginRules
  readonly trusts: TrustProxy
  /** What is on. All else is answered 404. */
  readonly transports: TransportSet
  /** Bytes that one message may have; the body of an `xhr_send` or a `jsonp_send` may bring several. */
  readonly maxPayload: number
  /** How many connections and polling sessions there may be; one more is answered 503. */
  readonly connections: number
  readonly limits: GateLimits
  /** What upgrades wait at. */
  readonly turnstile: Pick<Turnstile, 'pass'>
  /**
   * Whether upgrades may bring credentials in their URLs, which may be longer then. @default false
   */
  readonly keepsRequests?: boolean
  /** What takes the upgrades. Each connection counts for one of them. */
  readonly upgrades: readonly UpgradeTransport[]
  readonly sockjs: { handle(request: IncomingMessage, response: ServerResponse): void }
  /** Gets lines about limits and refused upgrades. @default none */
  readonly log?: Pick<ThrottledLog, 'write'> | undefined
  /** Answering a request or an upgrade threw. The request has been answered 500. */
  failed(cause: unknown): void
  /** Files for everybody, by their names under the prefix. @default none */
  readonly files?:
    | {
        has(name: string): boolean
        handle(request: IncomingMessage, response: ServerResponse, name: string): void
      }
    | undefined
}

/** What else sockjs may see always. Not `/chunking_test`, which no client asks for since SockJS 0.3: it reads bodies of any size. */
const OPEN = /^\/?$|^\/info\/?$/

const PLAIN_WEBSOCKET = /^\/websocket\/?$/

const IFRAME_PAGE = /^\/iframe[\w.-]*\.html\/?$/

/**
 * Stands in front of every transport: what comes from a wrong origin, with a wrong session id, to a session of
 * another handler, or with too large a body never reaches them.
 */
export class Gate implements Interceptor {
  readonly #options: GateOptions
  readonly #sessions = new PollingSessions()
  readonly #bodies: RequestBodies
  readonly #log: GateLog
  /** The connections and sessions of each address. */
  readonly #addresses = new OwnerCounts()
  /** Upgrades that wait for their turn. */
  #upgrades = 0

  constructor(options: GateOptions) {
    this.#options = options
    this.#bodies = new RequestBodies(options.limits)
    this.#log = new GateLog(options.log, options.prefix)
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
    if (!this.#isServed(request, target)) {
      if (!this.#upgradeFor(this.#pathUnder(request)))
        return this.#refuse([request, response], 404, 'Not found')
      response.setHeader('Upgrade', 'websocket')
      return this.#refuse([request, response], 426, 'Upgrade Required')
    }
    // Sessions keep it for as long as they live.
    if ((request.url ?? '').length > LONGEST_URL)
      return this.#refuse([request, response], 414, 'URI Too Long')
    if (!target || request.method === 'OPTIONS') return this.#options.sockjs.handle(request, response)
    this.#poll(request, response, { ...target, holder: this.#holder(request, from) })
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { origins, keepsRequests } = this.#options
    const path = this.#pathUnder(request)
    if (!origins.judge(request).allowed) return refuseUpgrade(socket, '403 Forbidden')
    const transport = this.#upgradeFor(path)
    if (!transport) return this.#refuseUpgrade(request, socket)
    const tooLarge = refusalOfSize(request, keepsRequests ? SIGNED_URL : LONGEST_URL)
    if (tooLarge) return this.#refuseUpgrade(request, socket, tooLarge)
    // RFC 6455, section 4.1, and RFC 9110, section 15.5.6.
    if (request.method !== 'GET')
      return this.#refuseUpgrade(request, socket, '405 Method Not Allowed', 'Allow: GET')
    if (request.headers['sec-websocket-version'] !== '13') {
      // RFC 6455, section 4.2.2: the answer names the version that would do.
      return this.#refuseUpgrade(request, socket, '400 Bad Request', 'Sec-WebSocket-Version: 13')
    }
    this.#inTurn(request, socket, () => transport.upgrade(request, socket, { path, head }))
  }

  #upgradeFor(path: string): UpgradeTransport | undefined {
    return this.#options.upgrades.find((transport) => transport.takes(path))
  }

  /**
   * The connection of a polling session has opened.
   * @param path the path of any of its requests
   */
  opened(path: string, connection: SessionConnection): void {
    const session = this.#sessions.get(this.#sessionOf(path) ?? '')
    if (session) session.connection = connection
  }

  /** The socket of a polling session has signed in: its bodies may be larger from now on. @param path of any request of it */
  authenticated(path: string): void {
    const session = this.#sessions.get(this.#sessionOf(path) ?? '')
    if (session) session.isAuthenticated = true
  }

  /** A polling session was closed; its next poll fetches why. @param path the path of any of its requests */
  closed(path: string): void {
    this.#sessions.get(this.#sessionOf(path) ?? '')?.close()
  }

  failed(cause: unknown): void {
    this.#options.failed(cause)
  }

  unwanted(request: IncomingMessage): void {
    this.#log.unwanted(request)
  }

  /** A polling session is over. @param path the path of any of its requests */
  ended(path: string): void {
    const session = this.#sessionOf(path)
    if (session !== undefined) this.#release(session)
  }

  #sessionOf(path: string): string | undefined {
    return readSessionPath(path.slice(this.#options.prefix.length))?.session
  }

  #release(session: string): void {
    const released = this.#sessions.release(session)
    if (released) this.#addresses.remove(released.address)
  }

  #inTurn(request: IncomingMessage, socket: Duplex, upgrade: () => void): void {
    const address = this.#address(request)
    const full = this.#fullFor(address)
    if (socket.destroyed) return
    if (full) return refuseUpgrade(socket, full === 503 ? '503 Service Unavailable' : '429 Too Many Requests')
    this.#upgrades += 1
    this.#count(address, socket)
    // The server does not listen to it while it waits.
    socket.on('error', ignore)
    this.#options.turnstile.pass(() => {
      this.#upgrades -= 1
      socket.off('error', ignore)
      try {
        upgrade()
      } catch (cause) {
        this.failed(cause)
        failUpgrade(socket)
      }
    })
  }

  /** Counts a connection until it closes. A function of its own: in the scope of the upgrade it would keep the request. */
  #count(address: string, socket: Duplex): void {
    this.#addresses.add(address)
    socket.once('close', () => this.#addresses.remove(address))
  }

  /** The status that refuses one more connection of an address, if one does. */
  #fullFor(address: string): 503 | 429 | undefined {
    const { upgrades, connections, limits } = this.#options
    const open = upgrades.reduce((sum, { size }) => sum + size, 0)
    const size = open + this.#upgrades + this.#sessions.size + this.#bodies.size
    if (size >= connections) return this.#full(503, { option: 'limits.connections', limit: connections })
    const { connectionsPerAddress: limit } = limits
    if (this.#addresses.of(address) < limit) return undefined
    return this.#full(429, { option: 'limits.connectionsPerAddress', limit, address })
  }

  #full<Status>(status: Status, details: ReachedLimit): Status {
    this.#log.limit(details)
    return status
  }

  #refuseUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    status = '404 Not Found',
    ...headers: readonly string[]
  ): void {
    this.#log.upgrade(request, status)
    refuseUpgrade(socket, status, ...headers)
  }

  #refuse([request, response]: Exchange, status: number, text: string, reason = text): void {
    this.#log.request(request, status, reason)
    refuse(response, status, text)
  }

  #target(request: IncomingMessage): SessionPath | undefined {
    return readSessionPath(this.#pathUnder(request))
  }

  #isServed(request: IncomingMessage, target: SessionPath | undefined): boolean {
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

  #address(request: IncomingMessage): string {
    return addressBlock(clientAddress(request, this.#options.trusts))
  }

  /** A digest: an origin may be as long as a header. */
  #holder(request: IncomingMessage, { origin, isForeign }: RequestOrigin): string {
    const holder = `${clientAddress(request, this.#options.trusts)} ${isForeign ? origin : ''}`
    return holder.length <= LONGEST_HOLDER ? holder : createHash('sha256').update(holder).digest('base64url')
  }

  #poll(
    request: IncomingMessage,
    response: ServerResponse,
    target: SessionPath & { readonly holder: string },
  ): void {
    const { session, transport, holder } = target
    if (transport === 'xhr_send' || transport === 'jsonp_send') {
      const own = this.#sessions.of(session, holder)
      if (!own) return this.#refuse([request, response], 404, 'Not found', 'no such session')
      return void this.#send([request, response], own, transport).catch((cause) => {
        this.failed(cause)
        failRequest(response)
      })
    }
    const address = this.#address(request)
    const isNew = !this.#sessions.has(session)
    const full = isNew ? this.#fullFor(address) : undefined
    if (full) return refuse(response, full, 'Too many connections')
    if (!this.#sessions.claim(session, holder, address))
      return this.#refuse([request, response], 404, 'Not found', "another client's session")
    if (isNew) this.#addresses.add(address)
    // A body that is not read would be kept for as long as the poll.
    request.resume()
    try {
      this.#options.sockjs.handle(request, response)
    } catch (cause) {
      if (isNew) this.#release(session)
      throw cause
    }
    // sockjs opens no session for what it refuses.
    if (isNew && response.statusCode >= 400) this.#release(session)
  }

  /** Reads a body when those before it of the same session have been read, and their messages handled. */
  async #send(
    [request, response]: Exchange,
    session: PollingSession,
    transport: SendTransport,
  ): Promise<void> {
    if (session.isClosed) return dismiss(response, transport)
    if (session.sends >= (session.isAuthenticated ? SENDS : 1))
      return this.#refuse([request, response], 429, 'Too many requests')
    session.sends += 1
    const reading = session.sent.then(() => this.#read(request, session, transport))
    // Without its value: the last body would be kept until the next.
    session.sent = reading.then(ignore)
    const body = await reading
    session.sends -= 1
    if (typeof body !== 'string') {
      if (isBodyTooComplex(body, transport === 'jsonp_send' && isForm(request)))
        return this.#refuse([request, response], 400, 'Too complex')
      return this.#replay([request, response], body)
    }
    // Its next poll says why, and that its client need not come back.
    const { address } = session
    const limit = this.#limitOf(session, transport)
    if (body === 'too_large') this.#log.body(413, body, { address, limit })
    if (body === 'too_large' && !session.isAuthenticated) session.connection?.tooLarge()
    if (session.isClosed) return dismiss(response, transport)
    if (body === 'broken_off' || body === 'ended') return
    if (body === 'too_large') return refuse(response, 413, `Too large (limit ${limit} bytes)`)
    const [status, text] = FAILURES[body]
    this.#log.body(status, body, { address })
    refuse(response, status, text)
  }

  async #read(
    request: IncomingMessage,
    session: PollingSession,
    transport: SendTransport,
  ): Promise<Buffer | BodyFailure> {
    await session.connection?.emptied()
    if (session.isClosed) return 'ended'
    if (request.destroyed) return 'broken_off'
    const limit = this.#limitOf(session, transport)
    const { address, isAuthenticated } = session
    session.body = this.#bodies.read(request, { address, limit, isStranger: !isAuthenticated })
    const body = await session.body.result
    session.body = undefined
    return body
  }

  /** Bytes that a body may have. */
  #limitOf({ isAuthenticated }: PollingSession, transport: SendTransport): number {
    const { maxPayload, limits } = this.#options
    const writing = WRITINGS[transport]
    return isAuthenticated ? batchLimit(maxPayload, writing) : authLimit(limits.authMessage)
  }

  /** sockjs reads bodies of any size, slowly; it gets this one whole, once it is known to be small enough. */
  #replay([request, response]: Exchange, body: Buffer): void {
    const { headers, method, url, httpVersion } = request
    const replay = Object.assign(Readable.from([body]), { headers, method, url, httpVersion })
    this.#options.sockjs.handle(replay as unknown as IncomingMessage, response)
  }
}

/** Whether sockjs reads a body as a form. */
function isForm({ headers }: IncomingMessage): boolean {
  return (headers['content-type'] ?? '').split(';', 1)[0] === 'application/x-www-form-urlencoded'
}

type Exchange = readonly [IncomingMessage, ServerResponse]

const WRITINGS: Readonly<Record<SendTransport, Writing>> = { xhr_send: 'quoted', jsonp_send: 'form' }

/** Bodies of one session that may be read or wait, once it has signed in. SockJS's own clients send one at a time. */
const SENDS = 4

/** UTF-16 code units of a holder that is kept as it is. */
const LONGEST_HOLDER = 128

/** How a body that was not read is answered. */
const FAILURES = {
  too_slow: [408, 'Too slow'],
  no_room: [503, 'Too busy'],
} as const

/** For the errors of a connection that waits: it closes, too, which is seen when its turn comes. */
function ignore(): void {}

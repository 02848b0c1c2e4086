import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { addressBlock } from '../http/address-block.js'
import { clientAddress, type TrustProxy } from '../http/forwarded.js'
import { failRequest, failUpgrade, type Interceptor, pathOf, refuseUpgrade } from '../http/intercept.js'
import type { OriginRules } from '../http/origins.js'
import { LONGEST_URL, refusalOfSize, SIGNED_URL } from '../http/upgrade-size.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import type { TurnThrottle } from '../runtime/turn-throttle.js'
import { answerOrigin } from './cors.js'
import { GateLog, type ReachedLimit } from './gate-log.js'
import { refuse } from './plain-answers.js'
import { PollingSession, PollingSessions, type SessionConnection } from './polling-sessions.js'
import { SessionBinding, type SessionBindingName, type SessionHolder } from './session-binding.js'
import { readSessionPath, type SessionPath } from './session-path.js'
import { type Exchange, SessionSends, type SessionSendsOptions } from './session-sends.js'
import type { TransportSet } from './transport-names.js'
import type { UpgradeTransport } from './upgrade-transport.js'

/** Limits of {@link Gate}. */
export type GateLimits = SessionSendsOptions['limits'] & {
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
  /** What polling sessions are bound to. @default 'address' */
  readonly bindSessions?: SessionBindingName
  /** Sets a `JSESSIONID` cookie on the answers to what polling sessions send. @default false */
  readonly cookie?: boolean
  /** What upgrades wait at. */
  readonly throttle: Pick<TurnThrottle, 'run'>
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
  readonly #binding: SessionBinding
  readonly #sends: SessionSends
  readonly #log: GateLog
  /** The connections and sessions of each address. */
  readonly #addresses = new OwnerCounts()
  /** Upgrades that wait for their turn. */
  #upgrades = 0

  constructor(options: GateOptions) {
    this.#options = options
    this.#binding = new SessionBinding({ by: options.bindSessions ?? 'address', trusts: options.trusts })
    this.#log = new GateLog(options.log, options.prefix)
    this.#sends = new SessionSends({ ...options, log: this.#log })
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
    this.#poll(request, response, { ...target, holder: this.#binding.holderOf(request, from) })
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
    this.#options.throttle.run(() => {
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
    const size = open + this.#upgrades + this.#sessions.size + this.#sends.size
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

  #poll(
    request: IncomingMessage,
    response: ServerResponse,
    target: SessionPath & { readonly holder: SessionHolder },
  ): void {
    const { session, transport, holder } = target
    if (transport === 'xhr_send' || transport === 'jsonp_send') {
      const own = this.#sessions.of(session, holder)
      if (!own) return this.#refuseSession([request, response], session)
      if (request.method !== 'POST') return this.#options.sockjs.handle(request, response)
      return void this.#sends.handle([request, response], own, transport).catch((cause) => {
        this.failed(cause)
        failRequest(response)
      })
    }
    const address = this.#address(request)
    const isNew = !this.#sessions.has(session)
    const full = isNew ? this.#fullFor(address) : undefined
    if (full) return refuse(response, full, 'Too many connections')
    const open = () => new PollingSession(this.#binding.bind(holder, request, response), address)
    if (!this.#sessions.claim(session, holder, open)) return this.#refuseSession([request, response], session)
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

  /** There is no such session, or it is another client's, which strangers are not told. */
  #refuseSession([request, response]: Exchange, session: string): void {
    if (this.#sessions.has(session)) this.#log.stranger(request)
    else this.#log.request(request, 404, 'no such session')
    refuse(response, 404, 'Not found')
  }
}

/** For the errors of a connection that waits: it closes, too, which is seen when its turn comes. */
function ignore(): void {}

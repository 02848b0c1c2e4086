import type { TrustProxy } from '../http/forwarded.js'
import { failRequest } from '../http/intercept.js'
import type { ConnectionLimiter } from './connection-limiter.js'
import type { GateLog } from './gate-log.js'
import { refuse } from './plain-answers.js'
import { PollingSession, PollingSessions, type SessionConnection } from './polling-sessions.js'
import type { Exchange, PassedRequest, ServerTransport } from './server-transport.js'
import { SessionBinding, type SessionBindingName, type SessionHolder } from './session-binding.js'
import { readSessionPath, type SessionPath } from './session-path.js'
import { SessionSends, type SessionSendsOptions } from './session-sends.js'
import { SockJSTransport, type SockJSTransportOptions } from './sockjs.js'
import type { TransportName, TransportSet } from './transport-names.js'

/** The events of sessions that {@link SockJSSessions} handles itself. */
type SessionEvents = 'authenticated' | 'closed' | 'ended' | 'sessionOpened' | 'websocket'

/** Settings of {@link SockJSSessions}. */
export interface SockJSSessionsOptions extends Omit<SockJSTransportOptions, SessionEvents | 'note'> {
  readonly limits: SessionSendsOptions['limits'] & SockJSTransportOptions['limits']
  /** The enabled transports. */
  readonly transports: TransportSet
  readonly trusts: TrustProxy
  /** What polling sessions are bound to. @default 'address' */
  readonly bindSessions?: SessionBindingName
  readonly limiter: ConnectionLimiter
  readonly log: GateLog
  /** Receives sockjs's log lines. */
  note(severity: string, line: string): void
  /** An error was thrown while a body was read. The request has been answered 500. */
  failed(cause: unknown): void
}

/**
 * The paths that are always passed to sockjs. `/chunking_test` is not among them: no client has
 * used it since SockJS 0.3, and it reads bodies of any size.
 */
const OPEN = /^\/?$|^\/info\/?$/

const PLAIN_WEBSOCKET = /^\/websocket\/?$/

const IFRAME_PAGE = /^\/iframe[\w.-]*\.html\/?$/

/**
 * SockJS over HTTP: its sessions, each bound to the client that opened it, their bodies, and the
 * pages `/info` and `/iframe.html`. `/info` is served whichever transports are enabled.
 */
export class SockJSSessions implements ServerTransport {
  readonly names: readonly TransportName[] = [
    ...(['xhr-streaming', 'xhr-polling', 'eventsource', 'jsonp-polling', 'htmlfile', 'iframe'] as const),
  ]
  readonly paths = { request: (path: string) => this.#serves(path) }
  readonly #options: SockJSSessionsOptions
  readonly #sessions = new PollingSessions()
  readonly #binding: SessionBinding
  readonly #sends: SessionSends
  readonly #sockjs: SockJSTransport

  constructor(options: SockJSSessionsOptions) {
    this.#options = options
    this.#binding = new SessionBinding({ by: options.bindSessions ?? 'address', trusts: options.trusts })
    this.#sends = new SessionSends(options)
    this.#sockjs = new SockJSTransport({
      ...options,
      websocket: options.transports.has('websocket'),
      sessionOpened: (path, connection) => this.#opened(path, connection),
      authenticated: (path) => this.#authenticated(path),
      closed: (path) => this.#sessionAt(path)?.close(),
      ended: (path) => this.#release(this.#nameAt(path)),
      note: options.note,
    })
  }

  /** Sessions, and bodies that are being read. */
  get size(): number {
    return this.#sessions.size + this.#sends.size
  }

  request(exchange: Exchange, { path, origin }: PassedRequest): void {
    const [request, response] = exchange
    const target = readSessionPath(path)
    if (!target || request.method === 'OPTIONS') return this.#sockjs.handle(request, response)
    this.#poll(exchange, { ...target, holder: this.#binding.holderOf(request, origin) })
  }

  /** Does nothing: the owners of the sessions' connections close them. */
  close(): void {}

  #serves(path: string): boolean {
    const { transports } = this.#options
    const target = readSessionPath(path)
    if (target) return !(target.session in {}) && transports.uses(target.transport)
    if (PLAIN_WEBSOCKET.test(path)) return transports.has('websocket')
    return OPEN.test(path) || (transports.has('iframe') && IFRAME_PAGE.test(path))
  }

  /** The connection of a session has opened. @param path the path of any of its requests */
  #opened(path: string, connection: SessionConnection): void {
    const session = this.#sessionAt(path)
    if (session) session.connection = connection
  }

  /** The socket of a session is authenticated: from now on its bodies may be larger. */
  #authenticated(path: string): void {
    const session = this.#sessionAt(path)
    if (session) session.isAuthenticated = true
  }

  #sessionAt(path: string): PollingSession | undefined {
    return this.#sessions.get(this.#nameAt(path))
  }

  #nameAt(path: string): string {
    return readSessionPath(path.slice(this.#options.prefix.length))?.session ?? ''
  }

  #release(session: string): void {
    const released = this.#sessions.release(session)
    if (released) this.#options.limiter.remove(released.address)
  }

  #poll(exchange: Exchange, target: SessionPath & { readonly holder: SessionHolder }): void {
    const { session, transport, holder } = target
    if (transport === 'xhr_send' || transport === 'jsonp_send') return this.#send(exchange, target)
    const [request, response] = exchange
    const { limiter } = this.#options
    const address = limiter.addressOf(request)
    const isNew = !this.#sessions.has(session)
    const full = isNew ? limiter.refusalFor(address) : undefined
    if (full) return refuse(response, full, 'Too many connections')
    const open = () => new PollingSession(this.#binding.bind(holder, request, response), address)
    if (!this.#sessions.claim(session, holder, open)) return this.#refuse(exchange, session)
    if (isNew) limiter.add(address)
    // A body that is not read would be kept as long as the poll.
    request.resume()
    try {
      this.#sockjs.handle(request, response)
    } catch (cause) {
      if (isNew) this.#release(session)
      throw cause
    }
    // sockjs opens no session for a request that it refuses.
    if (isNew && response.statusCode >= 400) this.#release(session)
  }

  #send(exchange: Exchange, target: SessionPath & { readonly holder: SessionHolder }): void {
    const [request, response] = exchange
    const own = this.#sessions.of(target.session, target.holder)
    if (!own) return this.#refuse(exchange, target.session)
    if (request.method !== 'POST') return this.#sockjs.handle(request, response)
    const transport = target.transport as 'xhr_send' | 'jsonp_send'
    void this.#sends.handle(exchange, own, transport).catch((cause) => {
      this.#options.failed(cause)
      failRequest(response)
    })
  }

  /**
   * Refuses a request: the session does not exist, or belongs to another client. The answer does
   * not say which.
   */
  #refuse([request, response]: Exchange, session: string): void {
    if (this.#sessions.has(session)) this.#options.log.stranger(request)
    else this.#options.log.request(request, 404, 'no such session')
    refuse(response, 404, 'Not found')
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { readCookie } from '../http/cookies.js'
import type { GateLog } from './gate-log.js'
import { readMessages } from './message-bodies.js'
import { authLimit, batchLimit, type Writing } from './message-limit.js'
import { accept, dismiss, refuse, refuseBody, type SendTransport } from './plain-answers.js'
import type { PollingSession } from './polling-sessions.js'
import { type BodyFailure, type BodyLimits, RequestBodies } from './request-bodies.js'
import type { Exchange } from './server-transport.js'

/** Settings of {@link SessionSends}. */
export interface SessionSendsOptions {
  readonly limits: BodyLimits & {
    /** Bytes that one message may have; a body may have several messages. */
    readonly message: number
    /** UTF-16 code units that the first message of a session may have. */
    readonly authMessage: number
  }
  /** Whether a `JSESSIONID` cookie is set on the answers. @default false */
  readonly cookie?: boolean
  readonly log: GateLog
}

/**
 * Reads the bodies that clients of polling sessions send, by `xhr_send` and `jsonp_send`, and
 * passes their messages to the sessions. The bodies of a session are read one after the other.
 */
export class SessionSends {
  readonly #options: SessionSendsOptions
  readonly #bodies: RequestBodies

  constructor(options: SessionSendsOptions) {
    this.#options = options
    this.#bodies = new RequestBodies(options.limits)
  }

  /** How many bodies are being read. */
  get size(): number {
    return this.#bodies.size
  }

  /**
   * Reads a body after the earlier ones of its session have been read, and their messages handled.
   */
  async handle(
    [request, response]: Exchange,
    session: PollingSession,
    transport: SendTransport,
  ): Promise<void> {
    if (session.isClosed) return dismiss(response, transport)
    if (session.sends >= (session.isAuthenticated ? SENDS : 1)) {
      this.#options.log.request(request, 429, 'Too many requests')
      return refuse(response, 429, 'Too many requests')
    }
    session.sends += 1
    const reading = session.sent.then(() => this.#read(request, session, transport))
    // Drops the value, because the last body would be kept until the next one.
    session.sent = reading.then(ignore)
    const body = await reading
    session.sends -= 1
    if (typeof body === 'string') this.#fail(response, { body, session, transport })
    else this.#deliver([request, response], { body, session, transport })
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

  #deliver([request, response]: Exchange, { body, session, transport }: Sent<Buffer>): void {
    if (this.#options.cookie) stick(request, response)
    const messages = readMessages(body, request, transport)
    if ('status' in messages) {
      const { status, text } = messages
      if (messages.isOfOtherType) this.#options.log.contentType(request)
      else if (status === 400) this.#options.log.request(request, status, text)
      return status === 400 ? refuse(response, status, text) : refuseBody(response, status, text)
    }
    const refusal = session.connection?.receive(messages)
    if (refusal === undefined) accept(response, transport)
    else refuseBody(response, 413, refusal)
  }

  #fail(response: ServerResponse, { body, session, transport }: Sent<BodyFailure>): void {
    // The session's next poll has the reason, and tells the client not to reconnect.
    const { address } = session
    const { log } = this.#options
    const limit = this.#limitOf(session, transport)
    if (body === 'too_large') log.body(413, body, { address, limit })
    if (body === 'too_large' && !session.isAuthenticated) session.connection?.tooLarge()
    if (session.isClosed) return dismiss(response, transport)
    if (body === 'broken_off' || body === 'ended') return
    if (body === 'too_large') return refuse(response, 413, `Too large (limit ${limit} bytes)`)
    const [status, text] = FAILURES[body]
    log.body(status, body, { address })
    refuse(response, status, text)
  }

  /** Returns the bytes that a body may have. */
  #limitOf({ isAuthenticated }: PollingSession, transport: SendTransport): number {
    const { limits } = this.#options
    const writing = WRITINGS[transport]
    return isAuthenticated ? batchLimit(limits.message, writing) : authLimit(limits.authMessage)
  }
}

/** The result of a request, and its session. */
interface Sent<Body> {
  readonly body: Body
  readonly session: PollingSession
  readonly transport: SendTransport
}

const WRITINGS: Readonly<Record<SendTransport, Writing>> = { xhr_send: 'quoted', jsonp_send: 'form' }

/**
 * Bodies of one authenticated session that may be read or wait. SockJS's own clients send one at a
 * time.
 */
const SENDS = 4

/** The answers for bodies that were not read. */
const FAILURES = {
  too_slow: [408, 'Too slow'],
  no_room: [503, 'Too busy'],
} as const

/** Keeps the cookie of sticky load balancers, as sockjs does on the other transports. */
function stick({ headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader(
    'Set-Cookie',
    `JSESSIONID=${readCookie(headers.cookie, 'JSESSIONID') || 'dummy'}; path=/`,
  )
}

function ignore(): void {}

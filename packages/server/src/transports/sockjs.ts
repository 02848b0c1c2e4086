import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { CLOSE_CODES, CLOSE_TIMEOUT, type ConnectionListener } from '@token-socket/protocol'
import sockjs from 'sockjs'
import type { BufferedConnection } from '../socket/buffered-connection.js'
import { Inbox, type InboxOwner } from '../socket/inbox.js'
import type { InboxScheduler } from '../socket/inbox-scheduler.js'
import { DISCONNECT_DELAY, DownloadTime, type EndingSession, OPEN } from './download-time.js'
import { shortenHeaders } from './kept-headers.js'
import { BATCH_MESSAGES, isTooLarge } from './message-limit.js'
import type { SessionConnection } from './polling-sessions.js'
import { sliceResponse } from './slices.js'

/** Fields of sockjs 0.3.24 that its types lack. Its version is pinned because of them. */
interface SockJSSession extends EndingSession {
  readonly session_id: string
  readonly send_buffer: string[]
  readonly recv: { readonly response?: ServerResponse } | null
}
type SockJSConnection = sockjs.Connection & { readonly _session: SockJSSession }
type Handler = (request: IncomingMessage, response: ServerResponse) => boolean

/** Settings of {@link SockJSTransport}. */
export interface SockJSTransportOptions {
  readonly prefix: string
  /** Milliseconds between heartbeat frames on the HTTP transports. */
  readonly pingInterval: number
  readonly limits: {
    /** Bytes that one incoming message may have; a larger one is refused with 413. */
    readonly message: number
  }
  /** Divides the turns among the connections. */
  readonly scheduler: InboxScheduler
  /** Whether `/info` reports WebSockets as available. */
  readonly websocket: boolean
  /** Whether `/info` reports that pages of every origin may connect. */
  readonly everyOrigin: boolean
  /** The address of the iframe page's script. @default a CDN's, with the script's hash */
  readonly sockjsUrl?: string | undefined
  /** Bytes after which a streaming response ends, and the client asks for the next. @default 131072 */
  readonly responseLimit?: number | undefined
  /** Whether sessions set a `JSESSIONID` cookie, for sticky load balancers. @default false */
  readonly cookie?: boolean
  /** A connection opened. */
  opened(connection: BufferedConnection): void
  /**
   * A session has a connection.
   * @param path the path of one of its requests
   */
  sessionOpened(path: string, connection: SessionConnection): void
  /** The client of a session is authenticated. @param path the path of one of its requests */
  authenticated(path: string): void
  /**
   * A session was closed. sockjs keeps it for the poll that fetches the reason.
   * @param path the path of one of its requests
   */
  closed(path: string): void
  /** A session has ended, and sockjs has removed it. @param path the path of one of its requests */
  ended(path: string): void
  /** Receives sockjs's log lines. */
  note(severity: string, line: string): void
}

/**
 * The script of the iframe page, which runs with this server's origin. It is one version, and the
 * browser checks its hash. sockjs has no setting for the hash; it puts this text between the quotes
 * of `src`.
 */
const IFRAME_SCRIPT = `https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js" \
integrity="sha384-svdnwiXBL+Js+yUneJSRFy24NgGiOfDM/vkQl/vCeVrcbYD6yW8EwPr1FnxTEZsR" crossorigin="anonymous`

/** SockJS's own default: browsers keep all of a streaming response in memory. */
const RESPONSE_LIMIT = 128 * 1024

/** The part before the session in `/<server>/<session>/<transport>`. */
const SERVER_PART = /^\/[^/.]+\/(?=[^/.]+\/[^/.]+)/

/** The end of the paths that send messages; the other paths of a session fetch them. */
const SENDING = /_send(\?|$)/

/** SockJS over HTTP: xhr-polling, xhr-streaming, eventsource, jsonp-polling, htmlfile, `/info` and the iframe page. */
export class SockJSTransport {
  readonly #handler: Handler
  readonly #prefix: string
  readonly #keepAlive: number
  /** A prefix of session names: sockjs keeps the sessions of all its servers in one table. */
  readonly #mark = `${randomUUID()}-`
  readonly #links = new Map<string, SockJSLink>()

  constructor(options: SockJSTransportOptions) {
    this.#prefix = options.prefix
    // Before the next heartbeat frame: while bytes are under way, the system sends no probes.
    this.#keepAlive = options.pingInterval / 2
    const { responseLimit = RESPONSE_LIMIT } = options
    const server = sockjs.createServer({
      // Its WebSocket routes are never reached, but `/info` has to report whether there are any.
      websocket: options.websocket,
      jsessionid: options.cookie ?? false,
      // The gate checks origins, whatever this says. It makes `/info` report `origins: ["*:*"]`.
      disable_cors: !options.everyOrigin,
      sockjs_url: escapeReplacement(options.sockjsUrl ?? IFRAME_SCRIPT),
      response_limit: responseLimit,
      heartbeat_delay: options.pingInterval,
      disconnect_delay: DISCONNECT_DELAY,
      log: options.note,
    } as sockjs.ServerOptions)
    server.on('connection', (connection: sockjs.Connection | null) => {
      if (!connection) return
      const path = connection.pathname.replace(this.#mark, '')
      const link = new SockJSLink(connection as SockJSConnection, {
        limits: options.limits,
        responseLimit,
        scheduler: options.scheduler,
        authenticated: () => options.authenticated(path),
        closed: () => options.closed(path),
      })
      const { session_id: session } = (connection as SockJSConnection)._session
      this.#links.set(session, link)
      connection.on('close', () => {
        this.#links.delete(session)
        options.ended(path)
      })
      options.sessionOpened(path, link)
      options.opened(link)
    })
    const { middleware } = server as unknown as { middleware(options: { prefix: string }): Handler }
    this.#handler = middleware.call(server, { prefix: escapePattern(options.prefix) })
  }

  /** Answers a request under the prefix. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', socket } = request
    // The network detects a reader that vanishes without closing.
    socket.setKeepAlive(true, this.#keepAlive)
    suspendTimeout(socket, response)
    // Otherwise nginx buffers streams, until clients take them for dead.
    response.setHeader('X-Accel-Buffering', 'no')
    const rest = url.slice(this.#prefix.length).replace(SERVER_PART, `$&${this.#mark}`)
    request.url = this.#prefix + rest
    shortenHeaders(request)
    const isFetching = !SENDING.test(request.url)
    if (isFetching) sliceResponse(response)
    this.#handler(request, response)
    const { session = '' } = request as { session?: string }
    if (isFetching) this.#links.get(session)?.carryOn(response)
  }
}

/**
 * Disables the HTTP server's `setTimeout`, which would end polls and streams without data. Node
 * sets it again for the next request, but not if `keepAliveTimeout` is 0.
 */
function suspendTimeout(socket: Socket, response: ServerResponse): void {
  const { timeout } = socket
  socket.setTimeout(0)
  if (!timeout) return
  response.once('close', () => {
    if (socket.timeout === 0) socket.setTimeout(timeout)
  })
}

/** Settings and events of a {@link SockJSLink}. */
interface SockJSLinkOptions extends Pick<SockJSTransportOptions, 'limits' | 'scheduler'> {
  /** Bytes after which a response ends; a single message may be larger. */
  readonly responseLimit: number
  authenticated(): void
  closed(): void
}

class SockJSLink implements BufferedConnection, InboxOwner, SessionConnection {
  readonly transport: string
  readonly #connection: SockJSConnection
  ondrained: (() => void) | undefined
  /** The responses with bytes that the kernel does not have yet. */
  readonly #responses = new Set<ServerResponse>()
  readonly #options: SockJSLinkOptions
  readonly #inbox: Inbox
  readonly #download: DownloadTime
  /** The messages after those of the next response, and their bytes. */
  #later: string[] = []
  #laterBytes = 0
  /** Bytes in sockjs's buffer; 0 if it is empty. */
  #next = 0
  #isClosed = false
  #listener: ConnectionListener | undefined
  /** Messages that arrived while others waited. */
  #behind = 0
  #onempty = () => {}
  /** Bytes of all messages that were sent. */
  #sentBytes = 0
  /** Functions that wait until a given number of bytes is written. Created with the first one. */
  #marks: { readonly at: number; readonly done: () => void }[] | undefined
  /** The open response whose empty write has not called back. */
  #probed: ServerResponse | undefined

  constructor(connection: SockJSConnection, options: SockJSLinkOptions) {
    this.#connection = connection
    this.#options = options
    this.#inbox = new Inbox(this, options.scheduler)
    this.#download = new DownloadTime(connection._session, this.#responses)
    this.transport = connection.protocol
    connection.on('close', () => this.#inbox.finish(() => this.#closed(1006, 'The connection was lost')))
    const { response } = connection._session.recv ?? {}
    if (response) this.carryOn(response)
  }

  tooLarge(): void {
    const { code, reason } = CLOSE_CODES.too_large
    this.close(code, reason)
  }

  /** Resolves when no message waits. The next body is read only then. */
  emptied(): Promise<void> | undefined {
    if (!this.#inbox.isWaiting) return undefined
    return new Promise((resolve) => {
      this.#onempty = resolve
    })
  }

  setPaused(isPaused: boolean): void {
    this.#inbox.setPaused(isPaused)
  }

  take(message: unknown): void {
    this.#listener?.message(message)
  }

  pause(): void {
    this.#behind = 0
  }

  resume(): void {
    this.#onempty()
  }

  /** Bytes that wait for polls, and that the kernel does not have yet of all responses. */
  get bufferedBytes(): number {
    return this.#laterBytes + this.#nextBytes + this.#download.unsent
  }

  get #nextBytes(): number {
    return this.#connection._session.send_buffer.length === 0 ? 0 : this.#next
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
  }

  authenticated(): void {
    this.#options.authenticated()
  }

  /** A response of the session has begun, with the messages that waited for it. */
  carryOn(response: ServerResponse): void {
    const { socket } = response
    this.#responses.add(response)
    response.on('drain', this.#drained)
    response.on('close', () => {
      this.#responses.delete(response)
      if (response.writableFinished) this.#download.handedOver(socket)
      // The data in it is lost, or may be.
      else this.#marks = undefined
      this.#drained()
    })
    this.#download.begin(this.#nextBytes === 0 ? this.#next : 0)
    this.#next = this.#nextBytes
    this.#feed(this.#options.responseLimit)
    this.#drained()
  }

  send(messages: readonly string[]): void {
    if (this.#isClosed || this.#connection._session.readyState !== OPEN) return
    for (const message of messages) {
      const bytes = Buffer.byteLength(message)
      this.#later.push(message)
      this.#laterBytes += bytes
      this.#sentBytes += bytes
    }
    this.#feed(this.#options.responseLimit)
  }

  /** Passes the messages of one response to sockjs. Short responses are downloaded quickly. */
  #feed(limit: number): void {
    const { send_buffer, recv } = this.#connection._session
    this.#next = this.#nextBytes
    let count = 0
    const before = this.#next
    while (count < this.#later.length && this.#next < limit) {
      this.#next += Buffer.byteLength(this.#later[count] as string)
      count += 1
    }
    if (count === 0) return
    const portion = this.#later.splice(0, count)
    this.#laterBytes -= this.#next - before
    // One frame has all of them: a single message would end a poll.
    const last = portion.pop() as string
    send_buffer.push(...portion)
    this.#connection.write(last)
    if (recv) this.#download.add(this.#next)
    if (this.#later.length > 0) this.#feed(limit)
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    const { response } = this.#connection._session.recv ?? {}
    this.#feed(Number.POSITIVE_INFINITY)
    // Its types require a text, but its frame needs a number.
    this.#connection.close(code as unknown as string, reason)
    // sockjs keeps the session for the poll that fetches the reason; it must not keep the process.
    this.#connection._session.to_tref?.unref()
    // A client that does not read must not keep its response open.
    if (response) setTimeout(() => response.destroy(), CLOSE_TIMEOUT).unref()
    this.#closed(code, reason)
  }

  written(done: () => void): void {
    this.#marks ??= []
    this.#marks.push({ at: this.#sentBytes, done })
    this.#settleMarks()
  }

  /**
   * Calls the waiting functions. The data in a response counts with its framing, so that nothing
   * counts as written too early.
   * @param known bytes that are certainly written
   */
  #settleMarks(known = 0): void {
    if (!this.#marks) return
    const written = Math.max(known, this.#sentBytes - this.bufferedBytes)
    const left = this.#marks.findIndex(({ at }) => at > written)
    const reached = this.#marks.splice(0, left < 0 ? this.#marks.length : left)
    for (const { done } of reached) done()
    if (this.#marks?.length) this.#probe()
  }

  /**
   * Detects when the response has passed on its data. `drain` is only emitted if there was much.
   */
  #probe(): void {
    const { response } = this.#connection._session.recv ?? {}
    if (!response || response.writableEnded || response.writableLength === 0) return
    if (this.#probed === response) return
    this.#probed = response
    const held = this.#sentBytes - this.#laterBytes - this.#nextBytes
    // The callback of an empty write runs after all waiting writes.
    response.write('', (error) => {
      if (this.#probed === response) this.#probed = undefined
      if (error) return
      const isAll = [...this.#responses].every((other) => other === response || other.writableLength === 0)
      this.#settleMarks(isAll ? held : 0)
    })
  }

  readonly #drained = () => {
    this.#settleMarks()
    this.ondrained?.()
  }

  /** See {@link SessionConnection}: sockjs does not handle the messages of clients. */
  receive(messages: readonly unknown[]): string | undefined {
    const limit = this.#options.limits.message
    for (const message of messages) {
      if (isTooLarge(message, limit)) return `Too large (limit ${limit} bytes)`
      if (this.#inbox.isWaiting) {
        this.#behind += 1
        if (this.#behind > BATCH_MESSAGES) return `Too large (limit ${BATCH_MESSAGES} messages)`
      }
      if (!this.#isClosed) this.#inbox.receive(message)
    }
    return undefined
  }

  #closed(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#inbox.close()
    this.#marks = undefined
    this.#options.closed()
    this.#listener?.closed(code, reason)
    this.#onempty()
  }
}

/** Escapes `$`, because sockjs inserts the script's address by `String#replace`. */
function escapeReplacement(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** Escapes the prefix, because sockjs builds regular expressions of it. */
function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

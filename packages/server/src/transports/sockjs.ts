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

/** What of sockjs 0.3.24 is used beyond its types; its version is pinned for that. */
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
  /** Whether `/info` tells that there are WebSockets. */
  readonly websocket: boolean
  /** Whether `/info` tells that pages of every origin may connect. */
  readonly everyOrigin: boolean
  /** The address of the iframe page's script, to go between quotes. @default a CDN's, with the script's hash */
  readonly sockjsUrl?: string | undefined
  /** Bytes after which a streaming response ends, and the client asks for the next. @default 131072 */
  readonly responseLimit?: number | undefined
  /** Sets a `JSESSIONID` cookie on sessions' answers, which some load balancers stick to. @default false */
  readonly cookie?: boolean
  /** A connection opened. */
  opened(connection: BufferedConnection): void
  /**
   * A session has a connection.
   * @param path the path of one of its requests
   */
  sessionOpened(path: string, connection: SessionConnection): void
  /** The client of a session has signed in. @param path the path of one of its requests */
  authenticated(path: string): void
  /** A session was closed; what sockjs keeps of it waits for the poll that fetches why. @param path as above */
  closed(path: string): void
  /** A session is over, and with it what sockjs kept of it. @param path the path of one of its requests */
  ended(path: string): void
  /** Receives what sockjs finds worth saying. */
  note(severity: string, line: string): void
}

/**
 * The script of the iframe page, which runs as this server's own origin: one version, and the browser checks its hash.
 * sockjs has no setting for that; it puts this text between the quotes of `src`.
 */
const IFRAME_SCRIPT = `https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js" \
integrity="sha384-svdnwiXBL+Js+yUneJSRFy24NgGiOfDM/vkQl/vCeVrcbYD6yW8EwPr1FnxTEZsR" crossorigin="anonymous`

/** SockJS's own: browsers keep all of a streaming response in memory. */
const RESPONSE_LIMIT = 128 * 1024

/** What stands before the session in `/<server>/<session>/<transport>`. */
const SERVER_PART = /^\/[^/.]+\/(?=[^/.]+\/[^/.]+)/

/** What ends the paths of requests that bring messages; the others of a session fetch them. */
const SENDING = /_send(\?|$)/

/** SockJS over HTTP: xhr-polling, xhr-streaming, eventsource, jsonp-polling, htmlfile, `/info` and the iframe page. */
export class SockJSTransport {
  readonly #handler: Handler
  readonly #prefix: string
  readonly #keepAlive: number
  /** sockjs keeps the sessions of all its servers in one table: ours have names of their own in it. */
  readonly #mark = `${randomUUID()}-`
  readonly #links = new Map<string, SockJSLink>()

  constructor(options: SockJSTransportOptions) {
    this.#prefix = options.prefix
    // Before the next heartbeat frame: with bytes under way there are no probes.
    this.#keepAlive = options.pingInterval / 2
    const { responseLimit = RESPONSE_LIMIT } = options
    const server = sockjs.createServer({
      // Its WebSocket routes are never reached (upgrades go elsewhere), but `/info` has to say whether there are any.
      websocket: options.websocket,
      jsessionid: options.cookie ?? false,
      // The gate answers for origins, whatever this says; `/info` has `origins: ["*:*"]` by it.
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
    // A reader that vanishes without a word is found by its network.
    socket.setKeepAlive(true, this.#keepAlive)
    suspendTimeout(socket, response)
    // nginx would hold streams back, until clients take them for dead.
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
 * `setTimeout` of the HTTP server would cut polls and streams that have nothing to say. Node sets it
 * again for the next request, but not where `keepAliveTimeout` is 0.
 */
function suspendTimeout(socket: Socket, response: ServerResponse): void {
  const { timeout } = socket
  socket.setTimeout(0)
  if (!timeout) return
  response.once('close', () => {
    if (socket.timeout === 0) socket.setTimeout(timeout)
  })
}

/** What a {@link SockJSLink} is told, and tells. */
interface SockJSLinkOptions extends Pick<SockJSTransportOptions, 'limits' | 'scheduler'> {
  /** Bytes after which a response has enough; one message may be larger. */
  readonly responseLimit: number
  authenticated(): void
  closed(): void
}

class SockJSLink implements BufferedConnection, InboxOwner, SessionConnection {
  readonly transport: string
  readonly #connection: SockJSConnection
  ondrained: (() => void) | undefined
  /** The responses that have not passed everything on. */
  readonly #responses = new Set<ServerResponse>()
  readonly #options: SockJSLinkOptions
  readonly #inbox: Inbox
  readonly #download: DownloadTime
  /** What the next response does not carry, and its bytes. */
  #later: string[] = []
  #laterBytes = 0
  /** Bytes in sockjs's buffer, unless that is empty. */
  #next = 0
  #isClosed = false
  #listener: ConnectionListener | undefined
  /** Messages that came while others waited. */
  #behind = 0
  #onempty = () => {}
  /** Bytes of all messages that were sent. */
  #sentBytes = 0
  /** What waits until a given number of them is written. Made when something does. */
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

  /** Resolves when no message waits. The next body is not read before. */
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

  /** What waits for polls, and what the session's responses have not passed on, those that have ended included. */
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

  /** A response of the session has begun, with what waited for it. */
  carryOn(response: ServerResponse): void {
    const { socket } = response
    this.#responses.add(response)
    response.on('drain', this.#drained)
    response.on('close', () => {
      this.#responses.delete(response)
      if (response.writableFinished) this.#download.handedOver(socket)
      // What it held is lost, or may be.
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

  /** Hands over what one response may carry. What follows waits for the next, so that each is soon downloaded. */
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
    // All into one frame: the first message alone would end a poll.
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
    // Its types say text, its frame needs a number.
    this.#connection.close(code as unknown as string, reason)
    // sockjs keeps the session for the poll that fetches the reason; that must not keep the process.
    this.#connection._session.to_tref?.unref()
    // Nor may a reader that takes nothing keep its response.
    if (response) setTimeout(() => response.destroy(), CLOSE_TIMEOUT).unref()
    this.#closed(code, reason)
  }

  written(done: () => void): void {
    this.#marks ??= []
    this.#marks.push({ at: this.#sentBytes, done })
    this.#settleMarks()
  }

  /**
   * What waits in a response counts with its framing: nothing is taken for written too early.
   * @param known bytes that are written for certain
   */
  #settleMarks(known = 0): void {
    if (!this.#marks) return
    const written = Math.max(known, this.#sentBytes - this.bufferedBytes)
    const left = this.#marks.findIndex(({ at }) => at > written)
    const reached = this.#marks.splice(0, left < 0 ? this.#marks.length : left)
    for (const { done } of reached) done()
    if (this.#marks?.length) this.#probe()
  }

  /** The response says when it has passed on what it holds now. It drains only if that was much. */
  #probe(): void {
    const { response } = this.#connection._session.recv ?? {}
    if (!response || response.writableEnded || response.writableLength === 0) return
    if (this.#probed === response) return
    this.#probed = response
    const held = this.#sentBytes - this.#laterBytes - this.#nextBytes
    // An empty write has its turn after all that wait.
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

  /** See {@link SessionConnection}: sockjs has no part in what clients send. */
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

/** sockjs puts the script's address into its page by `String#replace`, to which `$` is special. */
function escapeReplacement(text: string): string {
  return text.replaceAll('$', '$$$$')
}

/** sockjs builds regular expressions of the prefix as it is. */
function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

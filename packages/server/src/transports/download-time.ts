import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** What of a session of sockjs 0.3.24 has to do with its end; its version is pinned for that. */
export interface EndingSession {
  readonly readyState: number
  readonly recv: unknown
  /** While no response is open: ends the session. */
  to_tref: NodeJS.Timeout | null
  readonly timeout_cb: () => void
}

/** SockJS's state of a session that takes messages. */
export const OPEN = 1

/** Milliseconds without a request after which a session is over; sockjs's own default. */
export const DISCONNECT_DELAY = 5000

/** Bytes of a response that need at most that time. */
const USUAL_RESPONSE = 16 * 1024

/** Bytes a millisecond that a client is thought to take at least. */
const SLOWEST_READER = 16

/** Milliseconds that a response may add. */
const LONGEST_DOWNLOAD = 30_000

/**
 * Gives the client of a session time to download a response before it has to ask for the next. For sockjs, a response is over
 * when it was handed to the kernel, which may hold megabytes of it.
 */
export class DownloadTime {
  /** Bytes of the last response. */
  #bytes = 0
  /** Bytes that the responses had not passed on when the time began. */
  #unsent = 0
  readonly #session: EndingSession
  readonly #responses: ReadonlySet<ServerResponse>

  /** @param responses those that have not passed everything on */
  constructor(session: EndingSession, responses: ReadonlySet<ServerResponse>) {
    this.#session = session
    this.#responses = responses
  }

  /** Bytes that the responses have not passed on. */
  get unsent(): number {
    let size = 0
    for (const response of this.#responses) size += response.writableLength
    return size
  }

  /** A response has begun, with a given number of bytes. */
  begin(bytes: number): void {
    this.#bytes = bytes
    this.extend()
  }

  /** The response has a given number of bytes more. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.extend()
  }

  /** If the response is over: the time begins, anew if it has begun. */
  extend(): void {
    const session = this.#session
    const isWaiting = !session.recv && session.to_tref && session.readyState === OPEN
    if (!isWaiting || this.#bytes <= USUAL_RESPONSE) return
    clearTimeout(session.to_tref ?? undefined)
    this.#unsent = this.unsent
    session.to_tref = setTimeout(() => this.#end(), DISCONNECT_DELAY + this.#more)
  }

  /** The kernel has the whole response: the time begins anew, also for the next request on its socket. */
  handedOver(socket: Socket | null): void {
    this.extend()
    // Else a client would send the next on a socket that is closed just then.
    if (socket?.timeout && this.#bytes > USUAL_RESPONSE) socket.setTimeout(socket.timeout + this.#more)
  }

  get #more(): number {
    return Math.min(this.#bytes / SLOWEST_READER, LONGEST_DOWNLOAD)
  }

  #end(): void {
    // It takes its time, but goes on.
    if (this.unsent < this.#unsent && this.#session.readyState === OPEN) this.extend()
    else this.#session.timeout_cb()
  }
}

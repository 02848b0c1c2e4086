import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The fields of a session of sockjs 0.3.24 that concern its end. Its version is pinned because of
 * them.
 */
export interface EndingSession {
  readonly readyState: number
  readonly recv: unknown
  /** The timer that ends the session while no response is open. */
  to_tref: NodeJS.Timeout | null
  readonly timeout_cb: () => void
}

/** SockJS's state of a session that accepts messages. */
export const OPEN = 1

/** Milliseconds without a request after which a session ends; sockjs's own default. */
export const DISCONNECT_DELAY = 5000

/** Bytes of a response that can be downloaded within this time. */
const USUAL_RESPONSE = 16 * 1024

/** Bytes a millisecond that the slowest supported client reads. */
const SLOWEST_READER = 16

/** Milliseconds that a response may add, at most. */
const LONGEST_DOWNLOAD = 30_000

/**
 * Gives the client of a session more time to download a large response before its next request.
 * sockjs counts a response as finished when the kernel has it, which may buffer megabytes.
 */
export class DownloadTime {
  /** Bytes of the last response. */
  #bytes = 0
  /** Bytes that the responses had not passed to the kernel when the timer started. */
  #unsent = 0
  readonly #session: EndingSession
  readonly #responses: ReadonlySet<ServerResponse>

  /** @param responses those with bytes that the kernel does not have yet */
  constructor(session: EndingSession, responses: ReadonlySet<ServerResponse>) {
    this.#session = session
    this.#responses = responses
  }

  /** Bytes that the responses have not passed to the kernel. */
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

  /** Adds bytes to the response. */
  add(bytes: number): void {
    this.#bytes += bytes
    this.extend()
  }

  /** Starts the timer of a finished response, again if it runs. */
  extend(): void {
    const session = this.#session
    const isWaiting = !session.recv && session.to_tref && session.readyState === OPEN
    if (!isWaiting || this.#bytes <= USUAL_RESPONSE) return
    clearTimeout(session.to_tref ?? undefined)
    this.#unsent = this.unsent
    session.to_tref = setTimeout(() => this.#end(), DISCONNECT_DELAY + this.#more)
  }

  /**
   * The kernel has the whole response: starts the timer again, also that of the socket's next
   * request.
   */
  handedOver(socket: Socket | null): void {
    this.extend()
    // Otherwise a client would send its next request on a socket that is just being closed.
    if (socket?.timeout && this.#bytes > USUAL_RESPONSE) socket.setTimeout(socket.timeout + this.#more)
  }

  get #more(): number {
    return Math.min(this.#bytes / SLOWEST_READER, LONGEST_DOWNLOAD)
  }

  #end(): void {
    // The client is slow, but still reads.
    if (this.unsent < this.#unsent && this.#session.readyState === OPEN) this.extend()
    else this.#session.timeout_cb()
  }
}

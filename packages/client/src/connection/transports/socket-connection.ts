import {
  abortReason,
  type Connection,
  type ConnectionListener,
  onAbort,
  RpcError,
  startTimeout,
} from '@token-socket/protocol'
import type { WebSocketLike } from '../../settings/websocket-like.js'

/** How messages are framed on a socket. */
export interface Framing {
  /** The name of the transport that the open socket uses. */
  transport(): string
  /** Returns the texts to send, one `send` each, for messages that leave together. */
  encode(messages: readonly string[]): readonly string[]
  /** Returns the messages of a received frame. */
  decode(data: unknown): readonly unknown[]
}

/** A {@link Connection} over an open WebSocket or SockJS object. */
export class SocketConnection implements Connection {
  readonly transport: string
  readonly #socket: WebSocketLike
  readonly #framing: Framing
  #listener: ConnectionListener | undefined
  /** Frames that arrived before there was a listener. */
  #early: ((listener: ConnectionListener) => void)[] = []
  #isClosed = false

  /**
   * Waits until the socket is open.
   * @param signal closes the socket when it is aborted, also later on
   * @throws RpcError `transport_failed` if the socket closes instead: the text says why, `data` is
   *   `{ code, reason }` if the socket told them, `cause` the system's or the platform's error; the signal's reason
   */
  static open(socket: WebSocketLike, framing: Framing, signal: AbortSignal): Promise<SocketConnection> {
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(new SocketConnection(socket, framing))
      let cause: Error | undefined
      const fail = ({ code, reason }: Partial<CloseEvent> = {}) => {
        const end = code ? `closed, code ${code} ${reason}`.trim() : 'forbidden'
        const why = cause?.message || end
        reject(new RpcError('transport_failed', why, code && { code, reason }, cause))
      }
      // A close event follows, except where a page's policy forbids the connection. Only Node
      // reports the cause.
      socket.onerror = ({ error }: ErrorEvent) => {
        cause = error
        startTimeout(0, fail)
      }
      socket.onclose = fail
      onAbort(signal, () => {
        reject(abortReason(signal))
        socket.close()
      })
    })
  }

  private constructor(socket: WebSocketLike, framing: Framing) {
    this.#socket = socket
    this.#framing = framing
    this.transport = framing.transport()
    socket.onmessage = ({ data }: MessageEvent) => {
      this.#listener?.heard?.()
      for (const message of framing.decode(data)) this.#tell((listener) => listener.message(message))
    }
    // Only SockJS has this event: a frame without a message.
    socket.onheartbeat = () => this.#listener?.heard?.()
    socket.onclose = ({ code, reason }: CloseEvent) => {
      if (this.#isClosed) return
      this.#isClosed = true
      this.#tell((listener) => listener.closed(code, reason))
    }
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
    for (const tell of this.#early.splice(0)) tell(listener)
  }

  send(messages: readonly string[]): void {
    if (this.#isClosed) return
    for (const text of this.#framing.encode(messages)) this.#socket.send(text)
  }

  close(code: number, reason: string): void {
    if (!this.#isClosed) this.#socket.close(code, reason)
  }

  #tell(tell: (listener: ConnectionListener) => void): void {
    if (this.#listener) tell(this.#listener)
    else this.#early.push(tell)
  }
}

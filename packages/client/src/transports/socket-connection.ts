import { type Connection, type ConnectionListener, RpcError, startTimer } from '@token-socket/protocol'

/** What a WebSocket and a SockJS object have in common. */
export interface SocketLike {
  readonly bufferedAmount?: number
  onopen: ((event: never) => unknown) | null
  onmessage: ((event: never) => unknown) | null
  onclose: ((event: never) => unknown) | null
  onerror: ((event: never) => unknown) | null
  onheartbeat?: ((event: never) => unknown) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** How messages travel on a socket. */
export interface Framing {
  /** What carries the open socket. */
  transport(): string
  /** The texts to send, one `send` each, for messages that leave together. */
  encode(messages: readonly string[]): readonly string[]
  /** The messages in what came. */
  decode(data: unknown): readonly unknown[]
}

/** A {@link Connection} over an open WebSocket or SockJS object. */
export class SocketConnection implements Connection {
  readonly transport: string
  readonly #socket: SocketLike
  readonly #framing: Framing
  #listener: ConnectionListener | undefined
  #early: unknown[] = []
  #closed: { readonly code: number; readonly reason: string } | undefined

  /**
   * Waits until the socket is open.
   * @param signal closes the socket when it is aborted, also later on
   * @throws RpcError `transport_failed` if the socket closes instead, with `data` `{ code, reason }` if it told them; the
   *   signal's reason
   */
  static open(socket: SocketLike, framing: Framing, signal: AbortSignal): Promise<SocketConnection> {
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(new SocketConnection(socket, framing))
      const fail = (details?: object) => reject(new RpcError('transport_failed', undefined, details))
      // What went wrong is in the close event that follows. None does where a page's policy forbids the connection.
      socket.onerror = () => startTimer(0, fail)
      socket.onclose = ({ code, reason }: CloseEvent) => fail({ code, reason })
      const abort = () => {
        reject(signal.reason)
        socket.close()
      }
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
  }

  private constructor(socket: SocketLike, framing: Framing) {
    this.#socket = socket
    this.#framing = framing
    this.transport = framing.transport()
    socket.onmessage = (event: MessageEvent) => this.#receive(event.data)
    // SockJS alone has this: a frame without a message.
    socket.onheartbeat = () => this.#heard()
    socket.onclose = ({ code, reason }: CloseEvent) => this.#end(code, reason)
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount ?? 0
  }

  listen(listener: ConnectionListener): void {
    this.#listener = listener
    for (const message of this.#early.splice(0)) listener.message(message)
    if (this.#closed) listener.closed(this.#closed.code, this.#closed.reason)
  }

  send(messages: readonly string[]): void {
    if (this.#closed) return
    for (const text of this.#framing.encode(messages)) this.#socket.send(text)
  }

  close(code: number, reason: string): void {
    if (!this.#closed) this.#socket.close(code, reason)
  }

  #receive(data: unknown): void {
    this.#heard()
    for (const message of this.#framing.decode(data)) {
      if (this.#listener) this.#listener.message(message)
      else this.#early.push(message)
    }
  }

  #heard(): void {
    this.#listener?.heard?.()
  }

  #end(code: number, reason: string): void {
    if (this.#closed) return
    this.#closed = { code, reason }
    this.#listener?.closed(code, reason)
  }
}

/** Receives the messages and the end of a {@link Connection}. */
export interface ConnectionListener {
  /**
   * Bytes arrived, also without a complete message: the peer is alive. Called before their
   * messages.
   */
  heard?(): void
  /** A message arrived. Not always a string: SockJS lets a peer send any JSON value. */
  message(text: unknown): void
  /**
   * The connection has ended. Called once, last, also after one's own `close`.
   * @param code a WebSocket close code, or one of `CLOSE_CODES`
   */
  closed(code: number, reason: string): void
}

/**
 * One connection of a transport: it sends and receives texts, and is closed once. It knows no
 * tokens, and does not reconnect.
 *
 * Messages arrive in the order of sending, each at most once. The last messages before a loss may
 * or may not have arrived: only an answer proves it.
 */
export interface Connection {
  /** The name of the transport: `websocket`, `xhr-streaming`, … */
  readonly transport: string
  /**
   * Sets the listener. Earlier messages are not lost: they are delivered now. A further call
   * replaces the listener for everything that follows.
   */
  listen(listener: ConnectionListener): void
  /** Sends messages in one piece, in this order. Does nothing once the connection is closed. */
  send(messages: readonly string[]): void
  /**
   * Closes the connection. Earlier messages are sent first where the transport can do that.
   * Harmless when it is closed already.
   */
  close(code: number, reason: string): void
}

/** What a {@link Connection} tells its owner. */
export interface ConnectionListener {
  /** Bytes came, whether they hold a message or not: the other side lives. Called before their messages. */
  heard?(): void
  /** One message came. Not always a string: SockJS lets a peer send any JSON value. */
  message(text: unknown): void
  /**
   * The connection is over; nothing comes after this. Called once, also after one's own `close`.
   * @param code a WebSocket close code, or one of `CLOSE_CODES`
   */
  closed(code: number, reason: string): void
}

/**
 * One transport link: text out, text in, closed once. It knows no tokens and never comes back.
 *
 * Messages arrive in the order in which they were sent, each at most once. What was sent just before the link broke
 * may or may not have arrived: only an answer proves it.
 */
export interface Connection {
  /** What carries it: `websocket`, `xhr-streaming`, … */
  readonly transport: string
  /**
   * Sets what is notified of messages and of the end. Messages before this call are not lost: they
   * come after it. Called again, it replaces the listener: the new one is notified of everything
   * that comes from then on.
   */
  listen(listener: ConnectionListener): void
  /** Sends messages in one piece, in this order. Does nothing once the connection is closed. */
  send(messages: readonly string[]): void
  /** Ends the link. What was sent before goes out first where the transport can. Harmless when closed already. */
  close(code: number, reason: string): void
}

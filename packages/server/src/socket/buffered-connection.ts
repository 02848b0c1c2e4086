import type { IncomingMessage } from 'node:http'
import type {
  AnswerMessage,
  ClientMessage,
  CloseReason,
  Connection,
  ConnectionListener,
  ErrorMessage,
  ServerMessage,
} from '@token-socket/protocol'

/** Receives the messages and the end of a {@link BufferedConnection}. */
export interface BufferedListener extends ConnectionListener {
  /**
   * As for every connection.
   * @param byPeer whether the peer chose the code and the reason.
   * @default false
   */
  closed(code: number, reason: string, byPeer?: boolean): void
}

/** How messages are encoded for a client that does not use the library's wire. */
export interface Wire {
  /** Decodes what the client sent. @throws FrameError */
  decode(text: unknown): ClientMessage
  /**
   * Encodes a message.
   * @returns `undefined` for a message that such a client does not get
   * @throws RpcError `unsupported`, `unserializable`
   */
  encode(message: ServerMessage): string | undefined
  /**
   * Returns why the socket is closed instead of this answer, which its client does not get;
   * `undefined` if it is not.
   */
  closes(answer: AnswerMessage | ErrorMessage): CloseReason | undefined
}

/** A connection that reports how far its reader is behind. */
export interface BufferedConnection extends Connection {
  listen(listener: BufferedListener): void
  /** Bytes that were sent and that the network has not accepted yet. */
  readonly bufferedBytes: number
  /**
   * The request that opened it, until its client is authenticated or it is closed. Only if the
   * server authenticates connections without a token, and the transport is WebSocket.
   */
  readonly request?: IncomingMessage | undefined
  /**
   * The client is authenticated: messages of the full size may arrive from now on. Before that, the
   * transport accepts one small message only. Absent in a transport without that difference.
   */
  authenticated?(): void
  /**
   * Calls back once the operating system has accepted everything sent so far; for a transport over
   * HTTP, once the response was written. Never called if the connection ends before that. Absent if
   * a send does that already.
   */
  written?(done: () => void): void
  /** How its messages are encoded, if not in the library's wire. */
  readonly wire?: Wire | undefined
  /** Its socket is authenticated. Absent in a transport that is open already. */
  opened?(): void
  /** Called when the network has accepted the buffered bytes. The sender sets it. */
  ondrained?: (() => void) | undefined
  /**
   * Asks the network to stop delivering messages, or to continue. Some may still arrive. Absent if
   * the transport cannot do that.
   */
  setPaused?(isPaused: boolean): void
}

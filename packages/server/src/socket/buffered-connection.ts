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

/** Receives what comes on a {@link BufferedConnection}. */
export interface BufferedListener extends ConnectionListener {
  /**
   * As for every connection.
   * @param byPeer whether the peer chose the code and the reason.
   * @default false
   */
  closed(code: number, reason: string, byPeer?: boolean): void
}

/** How messages are written for a client that does not know the library's wire. */
export interface Wire {
  /** What came, as a message. @throws FrameError */
  decode(text: unknown): ClientMessage
  /**
   * A message as the text that is sent.
   * @returns `undefined` for what such a client does not get
   * @throws RpcError `unsupported`, `unserializable`
   */
  encode(message: ServerMessage): string | undefined
  /** Why the socket is closed, if it is, in place of this answer, which its client does not get. */
  closes(answer: AnswerMessage | ErrorMessage): CloseReason | undefined
}

/** A connection that says how far its reader is behind. */
export interface BufferedConnection extends Connection {
  listen(listener: BufferedListener): void
  /** Bytes that were sent and that the network has not taken yet. */
  readonly bufferedBytes: number
  /**
   * The request that opened it, until its client has signed in or it is closed. Only where the
   * server judges connections without a token, and the transport is WebSocket.
   */
  readonly request?: IncomingMessage | undefined
  /**
   * Its client has signed in: messages of the full size may come from now on. Until then its
   * transport takes one small message only. Left out by a transport that makes no difference.
   */
  authenticated?(): void
  /**
   * Calls back once the operating system has taken what was sent until now; of a transport over
   * HTTP, once the response that holds it was written. Never called if the connection ends before
   * that. Left out where a send is that already.
   */
  written?(done: () => void): void
  /** How its messages are written, if not in the library's wire. It takes messages only. */
  readonly wire?: Wire | undefined
  /** Its socket is let in. Left out by a transport that is open already. */
  opened?(): void
  /** Called when the network has taken what was buffered. Set by the one that sends. */
  ondrained?: (() => void) | undefined
  /**
   * Asks the network to stop bringing messages, or to go on; some may still come. Left out where
   * that cannot be.
   */
  setPaused?(isPaused: boolean): void
}

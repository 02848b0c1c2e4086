/**
 * The messages of the wire, one interface each, in the words of this library; `codec` turns them into the frames
 * that both pairs know. `docs/PROTOCOL.md` says what the receiver does with each. A test holds the two together.
 */
import type { WireError } from './errors.js'

/** The first message of a connection: the token, and which wire the client speaks. */
export interface AuthMessage {
  readonly type: 'auth'
  readonly id: string
  readonly token: string
  /** Absent from the old client. */
  readonly version?: number | undefined
}

/** A call of a controller's function on the server. */
export interface CallMessage {
  readonly type: 'call'
  readonly id: string
  readonly name: string
  readonly data: unknown
}

/** Asks to receive, or no more to receive, what is published on a channel. */
export interface SubscriptionMessage {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly id: string
  readonly channel: string
}

/** Asks the server to publish on a channel. */
export interface PublishMessage {
  readonly type: 'publish'
  readonly id: string
  readonly channel: string
  readonly data: unknown
}

/** Asks the server to publish on every channel. */
export interface BroadcastMessage {
  readonly type: 'broadcast'
  readonly id: string
  readonly data: unknown
}

/** Asks for a sign of life. */
export interface PingMessage {
  readonly type: 'ping'
  readonly id: string
}

/** How a call that succeeded, or failed, ended. */
export type Outcome = { readonly data: unknown } | WireError

/** The client's answer to an {@link InvokeMessage}. */
export interface ResultMessage {
  readonly type: 'result'
  readonly id: string
  readonly outcome: Outcome
}

/** What a client says. */
export type ClientMessage =
  | AuthMessage
  | CallMessage
  | SubscriptionMessage
  | PublishMessage
  | BroadcastMessage
  | PingMessage
  | ResultMessage

/** The server's answer to any request. It repeats the request's `rpc` name and id: the old client finds it by both. */
export interface AnswerMessage {
  readonly type: 'answer'
  readonly id: string
  readonly rpc: string
  readonly outcome: Outcome
  /** With the answer to `auth` only, and only from this library's server. */
  readonly session?: SessionInfo | undefined
}

/** What the server tells about the socket when it lets it in. */
export interface SessionInfo {
  /** The wire's version that the server speaks. */
  readonly version: number
  /** The socket's id on the server, `socket.sid`. */
  readonly sid: string
  /** Milliseconds after which the client will have heard something, if only a sign of life. */
  readonly heartbeat?: number | undefined
}

/** A call of an action on the client. */
export interface InvokeMessage {
  readonly type: 'invoke'
  readonly id: string
  readonly name: string
  readonly data: unknown
}

/** Tells the client that it is now subscribed, or no more, whoever asked for it. */
export interface SubscriptionNotice {
  readonly type: 'subscribed' | 'unsubscribed'
  readonly channel: string
}

/** One message on a channel. */
export interface PublicationMessage {
  readonly type: 'publication'
  readonly channel: string
  readonly data: unknown
}

/** Something that no request can be blamed for, such as a frame that is not JSON. */
export interface ErrorMessage {
  readonly type: 'error'
  readonly error: WireError
}

/** What a server says. */
export type ServerMessage =
  | AnswerMessage
  | InvokeMessage
  | SubscriptionNotice
  | PublicationMessage
  | ErrorMessage

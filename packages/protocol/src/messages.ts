/**
 * The messages of the wire, one interface each, in this library's terms; `codec` encodes them as
 * frames that both pairs understand. `docs/PROTOCOL.md` says what the receiver does with each. A
 * test compares the two.
 */
import type { CancelReason } from './call-context.js'
import type { WireError } from './errors.js'
import type { Capability } from './names.js'

/** The first message of a connection: the token, and the client's version of the wire. */
export interface AuthMessage {
  readonly type: 'auth'
  readonly id: string
  /** Absent if the server shall authenticate the connection by its upgrade request. */
  readonly token?: string | undefined
  /** Absent from the legacy client. */
  readonly version?: number | undefined
  /** The client's capabilities beyond the first version. @default none */
  readonly can?: readonly Capability[] | undefined
}

/**
 * A call of a function on the server. Without an id it is a notification, which is not answered:
 * its failure becomes an {@link ErrorMessage}.
 */
export interface CallMessage {
  readonly type: 'call'
  readonly id?: string | undefined
  readonly name: string
  readonly data: unknown
  /**
   * Milliseconds that the caller waits, if it said so; 0 for no limit. @default the server's own
   * limit
   */
  readonly timeout?: number | undefined
}

/**
 * Cancels a call that runs on the server: its function's signal aborts, and neither the call nor
 * this message is answered.
 */
export interface CancelMessage {
  readonly type: 'cancel'
  /** The call's id. */
  readonly id: string
  readonly reason: CancelReason
}

/** A position in a channel's history. Offsets of different epochs cannot be compared. */
export interface Position {
  /** Changes when the history of the channel is lost. */
  readonly epoch: string
  /** The number of kept publications up to this position. */
  readonly offset: number
}

/** Subscribes to a channel, or unsubscribes from it. */
export interface SubscriptionMessage {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly id: string
  readonly channel: string
  /** With `subscribe` only: the client's last position, from which it gets what it has missed. */
  readonly from?: Position | undefined
  /** With `from` only: the `proof` of the last {@link SubscriptionNotice} that had one. */
  readonly proof?: string | undefined
  /** With `subscribe` only: a signed token with additional permissions for this socket. */
  readonly token?: string | undefined
}

/** Publishes on a channel. */
export interface PublishMessage {
  readonly type: 'publish'
  readonly id: string
  readonly channel: string
  readonly data: unknown
  /** The event's name. */
  readonly event?: string | undefined
  /** A second publication on the channel with the same key is not made. */
  readonly key?: string | undefined
}

/** Requests a page of a channel's history. */
export interface HistoryMessage {
  readonly type: 'history'
  readonly id: string
  readonly channel: string
  /** The id of a publication: only later ones are requested. */
  readonly after?: string | undefined
  /** The id of a publication: only earlier ones are requested. */
  readonly before?: string | undefined
  /** The maximum number of publications. @default 100 */
  readonly limit?: number | undefined
  /** Whether the latest comes first. @default false */
  readonly reverse?: boolean | undefined
}

/** Publishes on every channel. */
export interface BroadcastMessage {
  readonly type: 'broadcast'
  readonly id: string
  readonly data: unknown
}

/** Requests a heartbeat. */
export interface PingMessage {
  readonly type: 'ping'
  readonly id: string
}

/** Sends a new token on the open socket. The server's report follows as {@link SessionNotice}. */
export interface RefreshMessage {
  readonly type: 'refresh'
  readonly id: string
  readonly token: string
}

/**
 * A message to the server that belongs to no channel and no call. It is answered once the server
 * has it.
 */
export interface SendMessage {
  readonly type: 'send'
  readonly id: string
  readonly data: unknown
}

/** The result of a call: an answer or an error. */
export type Outcome = { readonly data: unknown } | WireError

/**
 * The client's answer to an {@link InvokeMessage}. Without an id it is the failure of a
 * notification.
 */
export interface ResultMessage {
  readonly type: 'result'
  readonly id?: string | undefined
  readonly outcome: Outcome
}

/** A message of the client. */
export type ClientMessage =
  | AuthMessage
  | CallMessage
  | SubscriptionMessage
  | PublishMessage
  | HistoryMessage
  | BroadcastMessage
  | PingMessage
  | ResultMessage
  | CancelMessage
  | RefreshMessage
  | SendMessage

/**
 * The server's answer to any request. It repeats the request's `rpc` name and id: the legacy client
 * finds it by both.
 */
export interface AnswerMessage {
  readonly type: 'answer'
  readonly id: string
  readonly rpc: string
  readonly outcome: Outcome
  /** With the answer to `auth` only, and only from this library's server. */
  readonly session?: SessionInfo | undefined
}

/** The server's report to a socket that it has authenticated. */
export interface SessionInfo extends Partial<Member> {
  /** The server's version of the wire. */
  readonly version: number
  /** The socket's id on the server, `socket.sid`. */
  readonly sid: string
  /** Milliseconds within which the client receives something, if only a heartbeat. */
  readonly heartbeat?: number | undefined
  /**
   * The server's capabilities beyond the first version. Not sent to the legacy client. @default
   * none
   */
  readonly can?: readonly Capability[] | undefined
  /** The sizes that the server accepts from this client. Not sent to the legacy client. */
  readonly limits?: SizeLimits | undefined
  /** Milliseconds until the authorization ends, if it ends. */
  readonly expiresIn?: number | undefined
}

/**
 * The sizes that a server accepts from a client, in bytes of UTF-8. Another server may accept other
 * sizes.
 */
export interface SizeLimits {
  /** A message, as text. A larger one is lost, and may close the connection. */
  readonly message?: number
  /** The data of a publication, as JSON. A larger one is answered `too_large`. */
  readonly publication?: number
  /** Several messages in one frame or body. A single message may be larger. */
  readonly batch?: number
}

/** A member, as others see it. */
export interface Member {
  /** The id of the user: the same for all of a user's sockets. */
  readonly uid: string
  /** User metadata (`umd`). */
  readonly umd?: unknown
}

/**
 * A call of an action on the client. Without an id it is a notification, which is answered only if
 * it fails.
 */
export interface InvokeMessage {
  readonly type: 'invoke'
  readonly id?: string | undefined
  readonly name: string
  readonly data: unknown
  /**
   * Milliseconds that the server waits, if it said so; 0 for no limit. @default the client's
   * `callTimeout`
   */
  readonly timeout?: number | undefined
}

/** Cancels a call that runs on the client, as {@link CancelMessage} does. */
export interface WithdrawMessage {
  readonly type: 'withdraw'
  /** The call's id. */
  readonly id: string
  readonly reason: CancelReason
}

/** The server's report of a socket's authorization after a change: all of it. */
export interface SessionNotice extends Partial<Member> {
  readonly type: 'session'
  /** Milliseconds until the authorization ends, if it ends. */
  readonly expiresIn?: number | undefined
}

/** Asks the client to request a new token now, and to send it as {@link RefreshMessage}. */
export interface RenewMessage {
  readonly type: 'renew'
}

/** A message to the client that belongs to no channel and no call. */
export interface DirectMessage {
  readonly type: 'direct'
  /**
   * The client answers with this id, by {@link ResultMessage}, once it has the message.
   * @default it does not answer
   */
  readonly id?: string | undefined
  readonly data: unknown
}

/** Why a client does not get what it missed. */
export type GapReason = 'epoch_changed' | 'trimmed' | 'no_history' | 'forbidden'

/** Reports that the client was subscribed or unsubscribed, whichever side requested it. */
export interface SubscriptionNotice extends Partial<Member> {
  readonly type: 'subscribed' | 'unsubscribed'
  readonly channel: string
  /**
   * With `subscribed`, on a channel with history: the publications after this position follow
   * without a gap.
   */
  readonly position?: Position | undefined
  /**
   * With `position`, to a client that may not read the whole history: proves that it was at this
   * position.
   */
  readonly proof?: string | undefined
  /** Whether the missed publications follow. Only if the client sent its position. */
  readonly recovered?: boolean | undefined
  /** Why they do not follow. */
  readonly reason?: GapReason | undefined
  /** With `unsubscribed`: the user may not use the channel any longer. */
  readonly isRevoked?: boolean | undefined
  /**
   * With `subscribed`, on a channel with presence: the members. Each later change follows as {@link
   * PresenceMessage}.
   */
  readonly members?: readonly Member[] | undefined
}

/** A change of a channel's members. */
export interface PresenceMessage extends Member {
  readonly type: 'presence'
  readonly channel: string
  readonly change: PresenceChange
}

/** A member joined, left with the last socket, or changed the `umd`. */
export type PresenceChange = 'joined' | 'left' | 'updated'

/** Moves the client's position on a channel past a publication for other clients. */
export interface PositionNotice extends Position {
  readonly type: 'position'
  readonly channel: string
}

/** A message on a channel. */
export interface PublicationMessage extends Partial<Position> {
  readonly type: 'publication'
  readonly channel: string
  readonly data: unknown
  /**
   * A ULID: later ids on the channel are greater, and its first ten characters are the time. The
   * legacy server sends none.
   */
  readonly id?: string | undefined
  readonly event?: string | undefined
  /** The publisher, if it is a client. */
  readonly meta?: Partial<Member> | undefined
}

/**
 * An error that belongs to no request, such as a frame that is not JSON; or the failure of a {@link
 * CallMessage} without an id, with its function's name.
 */
export interface ErrorMessage {
  readonly type: 'error'
  readonly error: WireError
}

/** A message of the server. */
export type ServerMessage =
  | AnswerMessage
  | InvokeMessage
  | WithdrawMessage
  | SubscriptionNotice
  | PositionNotice
  | PresenceMessage
  | PublicationMessage
  | SessionNotice
  | RenewMessage
  | DirectMessage
  | ErrorMessage

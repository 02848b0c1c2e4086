/**
 * The messages of the wire, one interface each, in the words of this library; `codec` turns them into the frames
 * that both pairs know. `docs/PROTOCOL.md` says what the receiver does with each. A test holds the two together.
 */
import type { CancelReason } from './call-context.js'
import type { WireError } from './errors.js'
import type { Capability } from './names.js'

/** The first message of a connection: the token, and which wire the client speaks. */
export interface AuthMessage {
  readonly type: 'auth'
  readonly id: string
  /** Absent where the server is to judge the connection by its upgrade request. */
  readonly token?: string | undefined
  /** Absent from the legacy client. */
  readonly version?: number | undefined
  /** What the client can do beyond the first version. @default nothing */
  readonly can?: readonly Capability[] | undefined
}

/**
 * A call of a controller's function on the server. Without an id it is a notification, which is not
 * answered: its failure comes as an {@link ErrorMessage}.
 */
export interface CallMessage {
  readonly type: 'call'
  readonly id?: string | undefined
  readonly name: string
  readonly data: unknown
  /** Milliseconds that the caller waits, if it said so; 0 for as long as it takes. @default the peer's own limit */
  readonly timeout?: number | undefined
}

/** Gives up a call that the server runs: its function is notified, and it is not answered. Nor is this message. */
export interface CancelMessage {
  readonly type: 'cancel'
  /** The call's id. */
  readonly id: string
  readonly reason: CancelReason
}

/** A place in what a channel keeps. Offsets say nothing outside their epoch. */
export interface Position {
  /** Changes when what the channel kept is lost. */
  readonly epoch: string
  /** The number of kept publications before and up to this place. */
  readonly offset: number
}

/** Asks to receive, or to no longer receive, what is published on a channel. */
export interface SubscriptionMessage {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly id: string
  readonly channel: string
  /** With `subscribe` only: where the client was, so that it gets what it has missed since. */
  readonly from?: Position | undefined
  /** With `from` only: the `proof` of the last {@link SubscriptionNotice} that had one. */
  readonly proof?: string | undefined
  /** With `subscribe` only: a signed token with more rights for this socket. */
  readonly token?: string | undefined
}

/** Asks the server to publish on a channel. */
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

/** Asks for publications that a channel keeps. */
export interface HistoryMessage {
  readonly type: 'history'
  readonly id: string
  readonly channel: string
  /** The id of a publication: only later ones are wanted. */
  readonly after?: string | undefined
  /** The id of a publication: only earlier ones are wanted. */
  readonly before?: string | undefined
  /** How many at most. @default 100 */
  readonly limit?: number | undefined
  /** The latest first. @default false */
  readonly reverse?: boolean | undefined
}

/** Asks the server to publish on every channel. */
export interface BroadcastMessage {
  readonly type: 'broadcast'
  readonly id: string
  readonly data: unknown
}

/** Asks for a heartbeat. */
export interface PingMessage {
  readonly type: 'ping'
  readonly id: string
}

/**
 * Brings a new token for the open socket. What the server says of it follows as
 * {@link SessionNotice}.
 */
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

/** How a call that succeeded, or failed, ended. */
export type Outcome = { readonly data: unknown } | WireError

/**
 * The client's answer to an {@link InvokeMessage}. Without an id it is the failure of one without
 * an id.
 */
export interface ResultMessage {
  readonly type: 'result'
  readonly id?: string | undefined
  readonly outcome: Outcome
}

/** What a client says. */
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

/** The server's answer to any request. It repeats the request's `rpc` name and id: the legacy client finds it by both. */
export interface AnswerMessage {
  readonly type: 'answer'
  readonly id: string
  readonly rpc: string
  readonly outcome: Outcome
  /** With the answer to `auth` only, and only from this library's server. */
  readonly session?: SessionInfo | undefined
}

/** What the server tells about the socket when it lets it in. */
export interface SessionInfo extends Partial<Member> {
  /** The wire's version that the server speaks. */
  readonly version: number
  /** The socket's id on the server, `socket.sid`. */
  readonly sid: string
  /** Milliseconds after which the client will have heard something, if only a heartbeat. */
  readonly heartbeat?: number | undefined
  /** What the server can do beyond the first version. Not told to the legacy client. @default nothing */
  readonly can?: readonly Capability[] | undefined
  /** What the server takes from this client. Not told to the legacy client. */
  readonly limits?: SizeLimits | undefined
  /** Milliseconds until the authorisation ends, if it ends. */
  readonly expiresIn?: number | undefined
}

/** What a server takes of a client, in bytes of UTF-8. Another server may tell less, or more. */
export interface SizeLimits {
  /** A message, as text. A larger one is lost, and may cost the connection. */
  readonly message?: number
  /** The data of a publication, as JSON. A larger one is answered `too_large`. */
  readonly publication?: number
  /** Several messages together, that one frame or body brings. A single message may be larger. */
  readonly batch?: number
}

/** A member, as others see it. */
export interface Member {
  /** Who it is: the same in all of a person's sockets. */
  readonly uid: string
  /** What the application says about it. */
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
  /** Milliseconds that the server waits, if it said so; 0 for as long as it takes. @default the client's `callTimeout` */
  readonly timeout?: number | undefined
}

/** Gives up a call that the client runs, as {@link CancelMessage} does. */
export interface WithdrawMessage {
  readonly type: 'withdraw'
  /** The call's id. */
  readonly id: string
  readonly reason: CancelReason
}

/** What the server says of a socket's authorisation, whenever it has changed: all of it. */
export interface SessionNotice extends Partial<Member> {
  readonly type: 'session'
  /** Milliseconds until the authorisation ends, if it ends. */
  readonly expiresIn?: number | undefined
}

/** Asks the client to get a new token now, and to send it as {@link RefreshMessage}. */
export interface RenewMessage {
  readonly type: 'renew'
}

/** A message to the client that belongs to no channel and no call. */
export interface DirectMessage {
  readonly type: 'direct'
  /**
   * The client answers with this id, by {@link ResultMessage}, once it has it.
   * @default it does not answer
   */
  readonly id?: string | undefined
  readonly data: unknown
}

/** Why a client does not get what it missed. */
export type GapReason = 'epoch_changed' | 'trimmed' | 'no_history' | 'forbidden'

/** Tells the client that it is subscribed now, or no longer, whichever side asked for it. */
export interface SubscriptionNotice extends Partial<Member> {
  readonly type: 'subscribed' | 'unsubscribed'
  readonly channel: string
  /** With `subscribed`, where the channel keeps its publications: those after this place follow, without a gap. */
  readonly position?: Position | undefined
  /** With `position`, to a client that may not read all that the channel keeps: proves that it was at this position. */
  readonly proof?: string | undefined
  /** Whether what the client missed follows. Only if it said where it was. */
  readonly recovered?: boolean | undefined
  /** Why it does not. */
  readonly reason?: GapReason | undefined
  /** With `unsubscribed`: the user may not have the channel any longer. */
  readonly isRevoked?: boolean | undefined
  /** With `subscribed`, on a channel with presence: who is there. Each change after it follows as {@link PresenceMessage}. */
  readonly members?: readonly Member[] | undefined
}

/** Who is on a channel has changed. */
export interface PresenceMessage extends Member {
  readonly type: 'presence'
  readonly channel: string
  readonly change: PresenceChange
}

/** A member came, went with their last socket, or changed their `umd`. */
export type PresenceChange = 'joined' | 'left' | 'updated'

/** Moves the client's place on a channel past a publication that was not for it. */
export interface PositionNotice extends Position {
  readonly type: 'position'
  readonly channel: string
}

/** One message on a channel. */
export interface PublicationMessage extends Partial<Position> {
  readonly type: 'publication'
  readonly channel: string
  readonly data: unknown
  /** A ULID: later ids on the channel are greater, and its first ten characters are the time. The legacy server has none. */
  readonly id?: string | undefined
  readonly event?: string | undefined
  /** Who published it, of a client's message. */
  readonly meta?: Partial<Member> | undefined
}

/**
 * Something that no request can be blamed for, such as a frame that is not JSON; or the failure of
 * a {@link CallMessage} without an id, whose function it is about.
 */
export interface ErrorMessage {
  readonly type: 'error'
  readonly error: WireError
}

/** What a server says. */
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

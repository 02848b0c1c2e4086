import type { GapReason, RpcError } from '@token-socket/protocol'
import type { PublicationDetails } from './publications.js'
import type { ConnectionState } from './states.js'

/** What the server said last of a socket's authorisation. It does not change. */
export interface Session {
  /** Who the socket is to others. */
  readonly uid: string | undefined
  /** What other members see of it, in addition to its `uid`: the user metadata (`umd`). */
  readonly umd: unknown
  /**
   * When it ends, in milliseconds since 1970, by this machine's clock at the moment of the look: a
   * clock that jumps moves it along. `undefined` if it does not end.
   */
  readonly expiresAt: number | undefined
}

/** What a socket does at a moment: its `status`, and what goes with a change of state. */
export interface SocketStatus {
  readonly state: ConnectionState
  /** The last failure since the socket was ready. In a `state` event: why the state has changed, when something failed. */
  readonly error?: RpcError | undefined
  /**
   * Milliseconds until the next try, in `waiting`: 30 to 60 s while the browser says that there is no network. Without it
   * the try waits for the page to come back.
   */
  readonly delay?: number | undefined
  /** When that try begins, in milliseconds since 1970. */
  readonly retryAt?: number | undefined
  /** Tries since the socket was last ready, including the one under way: 0 when ready. */
  readonly attempt: number
}

/** What goes with a change of state. */
export type StateDetails = SocketStatus

/** The events of a `TokenSocket`, and what their listeners get. */
export interface TokenSocketEvents {
  /** Once: the socket is authenticated for the first time, or never will be. */
  ready: (error?: RpcError) => void
  /** After the first `ready`: the socket is back, or a try to come back failed. */
  reconnect: (error?: RpcError) => void
  /**
   * The server has another authorisation for this socket: a new token was taken, or the server
   * changed it.
   */
  refreshed: (session: Session) => void
  /** The server took this socket off a channel that its user may not have any longer. */
  revoked: (channel: string) => void
  /** A message came on a channel. */
  message: (channel: string, message: unknown, details: PublicationDetails) => void
  /** The server has sent a message that belongs to no channel and no call. */
  direct: (data: unknown) => void
  /** After a loss, a channel that keeps its publications goes on where it was: what was missed follows. */
  recovered: (channel: string) => void
  /**
   * What was missed on a channel is lost to this socket, and it goes on from now: `trimmed` if it is no longer kept,
   * `epoch_changed` if all that was kept is lost, `no_history` if nothing is kept.
   */
  gap: (channel: string, reason: GapReason) => void
  /** A connection is there, before `ready` or `reconnect`; `socket.sid` is new. */
  connect: () => void
  /** The connection is gone. */
  disconnect: (error: RpcError) => void
  /** For debugging: a frame came, as text. */
  frameIn: (text: string) => void
  /** For debugging: a frame goes out, as text; the first holds the token. */
  frameOut: (text: string) => void
  /** An automatic ping was answered, after this number of milliseconds. */
  ping: (roundTrip: number) => void
  /** The socket is in another state now. */
  state: (state: ConnectionState, details: StateDetails) => void
  /**
   * What has no other place: a failed ping, a subscription that was not restored, an action that threw, an error that
   * came when no one waited for it any more, a socket lost for good. Without a listener nothing happens.
   */
  error: (error: RpcError) => void
}

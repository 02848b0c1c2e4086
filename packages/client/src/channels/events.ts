import type { GapReason, RpcError } from '@token-socket/protocol'
import type { Session, StateDetails } from '../settings/socket-status.js'
import type { ConnectionState } from '../settings/states.js'
import type { PublicationDetails } from './publications.js'

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

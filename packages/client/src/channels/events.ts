import type { GapReason, RpcError } from '@token-socket/protocol'
import type { Session, StateDetails } from '../settings/socket-status.js'
import type { ConnectionState } from '../settings/states.js'
import type { PublicationDetails } from './publications.js'

/** The events of a `TokenSocket`, and the arguments of their listeners. */
export interface TokenSocketEvents {
  /** Emitted once: the socket is authenticated for the first time, or has failed for good. */
  ready: (error?: RpcError) => void
  /** Emitted after the first `ready`: the socket has reconnected, or an attempt has failed. */
  reconnect: (error?: RpcError) => void
  /** The server has changed the authorization of this socket, after a new token or on its own. */
  refreshed: (session: Session) => void
  /** The server unsubscribed this socket from a channel that its user may not use any longer. */
  revoked: (channel: string) => void
  /** A message arrived on a channel. */
  message: (channel: string, message: unknown, details: PublicationDetails) => void
  /** The server sent a message that belongs to no channel and no call. */
  direct: (data: unknown) => void
  /** After a reconnect, the missed publications of a channel follow. */
  recovered: (channel: string) => void
  /**
   * The missed publications of a channel are lost to this socket, which continues from now on.
   * Reasons: `trimmed`, they are no longer kept; `epoch_changed`, the whole history is lost;
   * `no_history`, the channel keeps nothing.
   */
  gap: (channel: string, reason: GapReason) => void
  /** A connection is open; emitted before `ready` or `reconnect`. `socket.sid` is new. */
  connect: () => void
  /** The connection was lost. */
  disconnect: (error: RpcError) => void
  /** For debugging: a frame arrived, as text. */
  frameIn: (text: string) => void
  /** For debugging: a frame is sent, as text. The first one holds the token. */
  frameOut: (text: string) => void
  /** An automatic ping was answered, after this number of milliseconds. */
  ping: (roundTrip: number) => void
  /** The socket's state has changed. */
  state: (state: ConnectionState, details: StateDetails) => void
  /**
   * Any other failure: of a ping, of a restored subscription, of an action, of a request whose
   * caller does not wait, or of the socket for good. Without a listener it has no effect.
   */
  error: (error: RpcError) => void
}

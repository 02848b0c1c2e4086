import type { RpcError } from '@token-socket/protocol'
import type { ConnectionState } from './states.js'

/** The socket's authorization, as the server reported it last. Immutable. */
export interface Session {
  /** The id of the user, as others see it. */
  readonly uid: string | undefined
  /** User metadata (`umd`), which other members see in addition to the `uid`. */
  readonly umd: unknown
  /**
   * When the authorization ends, in milliseconds since 1970, by this machine's clock at the time of
   * reading. `undefined` if it does not end.
   */
  readonly expiresAt: number | undefined
}

/** The `status` of a socket, and the details of a change of state. */
export interface SocketStatus {
  readonly state: ConnectionState
  /**
   * The last failure since the socket was ready. In a `state` event: the cause of the change, if it
   * was a failure.
   */
  readonly error?: RpcError | undefined
  /**
   * Milliseconds until the next attempt, in `waiting`: 30 to 60 s while the browser reports that it
   * is offline. Without it, the attempt waits until the page is shown again.
   */
  readonly delay?: number | undefined
  /** When that attempt begins, in milliseconds since 1970. */
  readonly retryAt?: number | undefined
  /** Attempts since the socket was last ready, including the running one; 0 when ready. */
  readonly attempt: number
}

/** The details of a change of state. */
export type StateDetails = SocketStatus

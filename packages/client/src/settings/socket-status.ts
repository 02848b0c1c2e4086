import type { RpcError } from '@token-socket/protocol'
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

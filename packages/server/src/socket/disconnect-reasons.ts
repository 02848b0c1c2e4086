import { CLOSE_CODES, type CloseReason } from '@token-socket/protocol'

/**
 * Close codes of sockets that were never authenticated, and the code with which a client ends its
 * socket.
 */
type Others = 'auth_timeout' | 'auth_required' | 'invalid_token' | 'going_away'

/**
 * Why a socket ended, in one word of a closed list; `docs/STATES.md` explains each. A client's own
 * code or text is never used: a client that closes is `client_closed`, whichever code it sends.
 */
export type DisconnectReason =
  | Exclude<CloseReason, Others>
  | 'client_closed'
  | 'connection_lost'
  | 'protocol_error'

/** How a connection was closed. */
export interface ConnectionEnd {
  /** The close code. */
  readonly code: number
  /** The close reason. The client may have chosen it. */
  readonly text: string
  /** Whether the client closed it, or the network lost it. */
  readonly byPeer: boolean
}

/** WebSocket's code for a connection that ended without a close frame. */
const LOST = 1006

/**
 * Reasons for other codes than this library's. Transports close with them because of a client's
 * message.
 */
const STANDARD: ReadonlyMap<number, DisconnectReason> = new Map([
  [CLOSE_CODES.going_away.code, 'client_closed'],
  [1002, 'protocol_error'],
  [1003, 'protocol_error'],
  [1007, 'protocol_error'],
  [1008, 'too_many_messages'],
  [1009, 'too_large'],
  [3000, 'protocol_error'],
])

/** This library's close codes by number. */
const OWN: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
)

/** Returns the reason of an end, for the log and the `disconnected` event. */
export function disconnectReason({ code, byPeer }: ConnectionEnd): DisconnectReason {
  if (code === LOST) return 'connection_lost'
  if (byPeer) return 'client_closed'
  return STANDARD.get(code) ?? (OWN.get(code) as DisconnectReason | undefined) ?? 'closed_by_server'
}

/** Whether the connection was closed by either side. */
export function wasClean(code: number): boolean {
  return code !== LOST
}

import { CLOSE_CODES, type CloseReason } from '@token-socket/protocol'

/** Close codes of sockets that were never let in, and the one that a client leaves with. */
type Others = 'auth_timeout' | 'auth_required' | 'invalid_token' | 'going_away'

/**
 * Why a socket ended, in one word of a closed list; `docs/STATES.md` explains each. A client's own code or text never becomes
 * one: a client that closes is `client_closed`, whichever code it sends.
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

/** WebSocket's code for a connection that ended without a close. */
const LOST = 1006

/** What codes mean that are not our own. Transports close by them for what a client sent. */
const STANDARD: ReadonlyMap<number, DisconnectReason> = new Map([
  [CLOSE_CODES.going_away.code, 'client_closed'],
  [1002, 'protocol_error'],
  [1003, 'protocol_error'],
  [1007, 'protocol_error'],
  [1008, 'too_many_messages'],
  [1009, 'too_large'],
  [3000, 'protocol_error'],
])

/** Our close codes by number. */
const OWN: ReadonlyMap<number, string> = new Map(
  Object.entries(CLOSE_CODES).map(([name, { code }]) => [code, name]),
)

/** The word for an end. The log and the `disconnected` event both use it. */
export function disconnectReason({ code, byPeer }: ConnectionEnd): DisconnectReason {
  if (code === LOST) return 'connection_lost'
  if (byPeer) return 'client_closed'
  return STANDARD.get(code) ?? (OWN.get(code) as DisconnectReason | undefined) ?? 'closed_by_server'
}

/** Whether the connection ended by a close, of either side. */
export function wasClean(code: number): boolean {
  return code !== LOST
}

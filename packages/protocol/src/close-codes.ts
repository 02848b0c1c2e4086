/**
 * Milliseconds for a peer to answer a close frame, or to take the last bytes. After that its
 * connection is destroyed, so that it does not keep the process alive.
 */
export const CLOSE_TIMEOUT = 2000

/** The close code of a client that ends its socket. */
export const GOING_AWAY = { code: 4005, reason: 'The client left' } as const

/** Close code that the server uses after it has rejected a token. */
export const INVALID_TOKEN_CODE = 4004

/**
 * The codes with which a server closes because an authorization has ended: `expired`, `revoked`.
 */
const OVER_CODES = [4009, 4010] as const

/**
 * Why a connection was closed, as data. These codes start at 4000: SockJS uses some below (1002,
 * 1006, 2000, 2007, 2010, 3000), and 1000 to 2999 belong to WebSocket. The range says whether to
 * reconnect:
 *
 * - 4000–4499: reconnect with a new token, after the usual delay;
 * - 4500–4999: do not reconnect, the same would happen again.
 */
export const CLOSE_CODES = {
  shutting_down: { code: 4000, reason: 'The server is shutting down' },
  closed_by_server: { code: 4001, reason: 'Closed by the server' },
  slow_consumer: { code: 4002, reason: 'Too many bytes wait for this socket' },
  auth_timeout: { code: 4003, reason: 'No token came in time' },
  invalid_token: { code: INVALID_TOKEN_CODE, reason: 'Invalid token' },
  going_away: GOING_AWAY,
  ping_timeout: { code: 4006, reason: 'No heartbeat came in time' },
  too_many_messages: { code: 4007, reason: 'Far more messages in a second than the limit' },
  auth_failed: { code: 4008, reason: 'The sign-in failed' },
  expired: { code: OVER_CODES[0], reason: 'The authorisation has ended' },
  revoked: { code: OVER_CODES[1], reason: 'The authorisation was revoked' },
  rate_limited: { code: 4011, reason: 'It went on over a limit of its rate' },
  auth_required: { code: 4500, reason: 'The first message has to be the token' },
  too_large: { code: 4501, reason: 'A message was larger than the limit' },
  disconnected: { code: 4502, reason: 'Disconnected for good by the server' },
  bad_messages: { code: 4503, reason: 'Too many wrong messages' },
  auth_refused: { code: 4504, reason: 'The sign-in was refused' },
} as const

/** The name of one of these close codes. */
export type CloseReason = keyof typeof CLOSE_CODES

/** Whether a connection was closed because its authorization has ended. */
export function isAuthorizationOver(code: number): boolean {
  return code === OVER_CODES[0] || code === OVER_CODES[1]
}

/** Whether a client should reconnect after this code: after all but 4500–4999. */
export function shouldReconnect(code: number): boolean {
  return code < 4500 || code > 4999
}

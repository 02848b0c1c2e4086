/** Why the client itself ended something, for people. Programs go by the error's code. */

export const OVERTAKEN = 'A later call took the place of this one'
export const RELEASED = 'Channel released'
export const REVOKED = 'Unsubscribed by the server'
export const SOCKET_AWAY = 'The socket is away'
export const PAGE_LEFT = 'The page went away'
export const SUSPENDED = 'The socket was suspended'
export const UNANSWERED = 'The server did not answer a ping'

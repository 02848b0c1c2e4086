/** Texts for people of what the client itself ended. Programs use the error's code. */

export const OVERTAKEN = 'A later call took the place of this one'
export const RELEASED = 'Channel released'
export const REVOKED = 'Unsubscribed by the server'
export const SOCKET_AWAY = 'The socket is away'
export const PAGE_LEFT = 'The page went away'
export const RENEWED = 'The socket reconnects for a new token'
export const SUSPENDED = 'The socket was suspended'
export const URL_LATE = 'The option url gave no URL in time'
export const UNANSWERED = 'The server did not answer a ping'

/** Why the server, or a proxy, ended a connection. @param url its URL, if it was not ready yet */
export function closedText(code: number, reason: string, url?: string): string | undefined {
  // SockJS means that a request failed; the client retries.
  const said = reason === 'permanent' ? 'a request failed' : reason
  const why = `was closed: code ${code}${said && `, ${said}`}`
  if (url) return `The connection to ${url} ${why}`
  return `The connection ${why}; the outcome of calls under way is unknown`
}

import type { ServerResponse } from 'node:http'

/** The transports of SockJS whose requests send messages. */
export type SendTransport = 'xhr_send' | 'jsonp_send'

const TEXT = 'text/plain; charset=UTF-8'

/** The same value as in the answers of SockJS's other transports. */
const UNCACHED = 'no-store, no-cache, no-transform, must-revalidate, max-age=0'

/** Answers a request whose messages have all been handled. */
export function accept(response: ServerResponse, transport: SendTransport): void {
  const headers = { 'Content-Type': TEXT, 'Cache-Control': UNCACHED }
  if (transport === 'xhr_send') response.writeHead(204, headers).end()
  else response.writeHead(200, { ...headers, 'Content-Length': 2 }).end('ok')
}

/**
 * Answers a request for a closed session as sockjs does, which ignores it: the next poll has the
 * reason.
 */
export function dismiss(response: ServerResponse, transport: SendTransport): void {
  const headers = { 'Content-Type': TEXT, Connection: 'close' }
  if (transport === 'xhr_send') response.writeHead(204, headers).end()
  else response.writeHead(200, headers).end('ok')
}

/** Refuses a body that has been read. Its connection stays open. */
export function refuseBody(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': TEXT, 'Cache-Control': UNCACHED })
  response.end(`${text}\n`)
}

/** Refuses a request with a line of text, and closes its connection. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': TEXT, Connection: 'close' })
  response.end(`${text}\n`)
}

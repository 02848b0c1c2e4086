import type { ServerResponse } from 'node:http'

/** The transports of SockJS whose requests bring messages. */
export type SendTransport = 'xhr_send' | 'jsonp_send'

const TEXT = 'text/plain; charset=UTF-8'

/** As the answers of SockJS's other transports have it. */
const UNCACHED = 'no-store, no-cache, no-transform, must-revalidate, max-age=0'

/** Answers what brought messages, all of which have been handled. */
export function accept(response: ServerResponse, transport: SendTransport): void {
  const headers = { 'Content-Type': TEXT, 'Cache-Control': UNCACHED }
  if (transport === 'xhr_send') response.writeHead(204, headers).end()
  else response.writeHead(200, { ...headers, 'Content-Length': 2 }).end('ok')
}

/** Answers what is sent to a session that is closed as sockjs does, which ignores it: the next poll says why. */
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

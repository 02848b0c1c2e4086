import type { ServerResponse } from 'node:http'

/** The transports of SockJS whose requests bring messages. */
export type SendTransport = 'xhr_send' | 'jsonp_send'

/** Answers what is sent to a session that is closed as sockjs does, which ignores it: the next poll says why. */
export function dismiss(response: ServerResponse, transport: SendTransport): void {
  const headers = { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' }
  if (transport === 'xhr_send') response.writeHead(204, headers).end()
  else response.writeHead(200, headers).end('ok')
}

/** Refuses a request with a line of text, and closes its connection. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=UTF-8', Connection: 'close' })
  response.end(`${text}\n`)
}

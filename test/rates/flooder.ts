/** Clients without the library that send as fast as they are told, by each transport. They read what comes, and drop it. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

export const TRANSPORTS = [
  'websocket',
  'sockjs-websocket',
  'xhr-streaming',
  'xhr-polling',
  'jsonp-polling',
] as const
export type FloodTransport = (typeof TRANSPORTS)[number] | 'raw'

/** One connection that floods. */
export interface Flooder {
  /** Sends texts in one frame, or one body. */
  send(texts: readonly string[]): Promise<void>
  /** Its connection is gone, by whichever side. */
  readonly isClosed: boolean
  close(): void
}

/** Opens a connection. @param url of the site; of a raw WebSocket with the query that it is let in by */
export function openFlooder(transport: FloodTransport, url: string): Promise<Flooder> {
  if (transport === 'raw') return openRaw(url)
  const session = `${url}/sockets/000/${randomUUID()}`
  if (transport === 'websocket') return openWebSocket(`${url}/sockets/websocket`, (texts) => texts.join('\n'))
  if (transport === 'sockjs-websocket')
    return openWebSocket(`${session}/websocket`, (texts) => JSON.stringify(texts))
  return openSession(session, transport)
}

function openRaw(site: string): Promise<Flooder> {
  const url = new URL(site)
  url.pathname = '/sockets/raw'
  return openWebSocket(url.href)
}

/** @param frame several texts as one frame. @default each has its own */
async function openWebSocket(url: string, frame?: (texts: readonly string[]) => string): Promise<Flooder> {
  const socket = new WebSocket(url.replace('http', 'ws'))
  socket.on('error', () => {})
  await once(socket, 'open')
  return {
    async send(texts) {
      for (const text of frame ? [frame(texts)] : texts) socket.send(text, () => {})
    },
    get isClosed() {
      return socket.readyState !== WebSocket.OPEN
    },
    close: () => socket.terminate(),
  }
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

async function openSession(url: string, transport: FloodTransport): Promise<Flooder> {
  const abort = new AbortController()
  const { signal } = abort
  let isClosed = false
  const receive = async () => {
    const response =
      transport === 'jsonp-polling'
        ? await fetch(`${url}/jsonp?c=f`, { signal })
        : await fetch(`${url}/${transport === 'xhr-polling' ? 'xhr' : 'xhr_streaming'}`, {
            method: 'POST',
            signal,
          })
    // A streaming response ends after a while; what it says until then is dropped, but for the close.
    if (transport === 'xhr-streaming') {
      isClosed ||= await drain(response)
      return
    }
    const text = await response.text()
    if (!response.ok || /^c\[|\("c\[/.test(text)) isClosed = true
  }
  const first = receive()
  if (transport !== 'xhr-streaming') await first
  void first
    .then(async () => {
      while (!isClosed) await receive()
    })
    .catch(() => {
      isClosed = true
    })
  return {
    async send(texts) {
      const body = JSON.stringify(texts)
      const answer = await (transport === 'jsonp-polling'
        ? fetch(`${url}/jsonp_send`, {
            method: 'POST',
            headers: FORM,
            body: `d=${encodeURIComponent(body)}`,
            signal,
          })
        : fetch(`${url}/xhr_send`, { method: 'POST', body, signal }))
      await answer.text()
    },
    get isClosed() {
      return isClosed
    },
    close() {
      isClosed = true
      abort.abort()
    },
  }
}

/** @returns whether it ended with the close of the session */
async function drain(response: Response): Promise<boolean> {
  let last = ''
  for await (const chunk of response.body ?? []) last = Buffer.from(chunk).toString()
  return /(^|\n)c\[/.test(last)
}

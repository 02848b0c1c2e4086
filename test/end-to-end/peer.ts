/** A peer without the library: whatever text a test wants, on any carrier. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

export const CARRIERS = ['websocket', 'sockjs-websocket', 'xhr-polling'] as const
export type Carrier = (typeof CARRIERS)[number]

/** A frame of the server, decoded. */
export type Frame = Readonly<Record<string, unknown>>

export interface Ending {
  readonly code: number
  readonly reason: string
}

export abstract class Peer {
  /** Every frame of the server, oldest first. */
  readonly frames: Frame[] = []
  /** Resolves when frames can be sent. */
  abstract readonly opened: Promise<void>
  /** How the server ended it. */
  readonly closed: Promise<Ending>
  ending: Ending | undefined
  #end!: (ending: Ending) => void
  readonly #waiters = new Set<() => void>()
  #lastId = 0

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Sends texts, each as one message, in one frame. */
  abstract sendTexts(...texts: readonly string[]): void

  /** Sends what the carrier would never send, as it is. */
  abstract sendRaw(text: string | Buffer): void

  /** Cuts the line. */
  abstract destroy(): void

  /** Sends messages in one frame. */
  send(...messages: readonly unknown[]): void {
    this.sendTexts(...messages.map((message) => JSON.stringify(message)))
  }

  /** Says the token. Resolves with the server's answer. */
  auth(token: string, uuid = 'auth'): Promise<Frame> {
    return this.ask({ rpc: 'auth', token, uuid })
  }

  /** Sends a request and resolves with its answer. */
  ask(request: Frame): Promise<Frame> {
    const uuid = request.uuid ?? `p${++this.#lastId}`
    this.send({ ...request, uuid })
    return this.find((frame) => frame.uuid === uuid)
  }

  /** The first frame, of those that came or will come, that is so. */
  async find(isSo: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(isSo)
      if (found) return found
      await this.#change()
    }
  }

  protected came(texts: readonly string[]): void {
    this.frames.push(...texts.map((text) => JSON.parse(text)))
    this.#wake()
  }

  protected ended(ending: Ending): void {
    this.ending ??= ending
    this.#end(this.ending)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add(resolve)
    })
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter()
    this.#waiters.clear()
  }
}

/** One message a line. */
export class PlainPeer extends Peer {
  readonly opened: Promise<void>
  readonly #socket: WebSocket

  constructor(url: string, headers: Record<string, string>) {
    super()
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/websocket`, { headers })
    this.opened = once(this.#socket, 'open').then(() => {})
    this.#socket.on('message', (data) =>
      this.came(
        String(data)
          .split('\n')
          .filter((line) => line !== ''),
      ),
    )
    this.#socket.on('close', (code, reason) => this.ended({ code, reason: String(reason) }))
    this.#socket.on('error', () => {})
  }

  sendTexts(...texts: readonly string[]): void {
    this.#socket.send(texts.join('\n'))
  }

  sendRaw(text: string | Buffer): void {
    this.#socket.send(text)
  }

  destroy(): void {
    this.#socket.terminate()
  }

  /** Closes with a code and a text of its own. */
  close(code: number, text: string): void {
    this.#socket.close(code, text)
  }

  /** Reads no more: what the server sends waits in buffers. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }
}

/** SockJS's frames on a WebSocket. */
class SockJSPeer extends Peer {
  readonly opened: Promise<void>
  readonly #socket: WebSocket

  constructor(url: string, headers: Record<string, string>) {
    super()
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/000/${randomUUID()}/websocket`, { headers })
    this.opened = new Promise((resolve, reject) => {
      this.#socket.on('message', (data) => this.#receive(String(data), resolve))
      this.#socket.on('error', reject)
    })
    this.#socket.on('close', (code, reason) => this.ended({ code, reason: String(reason) }))
  }

  sendTexts(...texts: readonly string[]): void {
    this.#socket.send(JSON.stringify(texts))
  }

  sendRaw(text: string | Buffer): void {
    this.#socket.send(text)
  }

  destroy(): void {
    this.#socket.terminate()
  }

  #receive(frame: string, opened: () => void): void {
    if (frame === 'o') opened()
    else if (frame.startsWith('a')) this.came(JSON.parse(frame.slice(1)))
    else if (frame.startsWith('c')) this.ended(endingOf(frame))
  }
}

/** Milliseconds by which a poll may be answered later than a body. */
const POLL_LATER = 300

/** SockJS's frames by one HTTP request after the other. */
class PollingPeer extends Peer {
  readonly opened: Promise<void>
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #abort = new AbortController()
  #sending = Promise.resolve()

  constructor(url: string, headers: Record<string, string>) {
    super()
    this.#url = `${url}/000/${randomUUID()}`
    this.#headers = headers
    this.opened = this.#poll().then((frame) => {
      if (frame !== 'o') throw new Error(`not opened: ${frame}`)
      this.#goOn().catch(() => {})
    })
  }

  sendTexts(...texts: readonly string[]): void {
    this.sendRaw(JSON.stringify(texts))
  }

  sendRaw(text: string | Buffer): void {
    this.#sending = this.#sending.then(async () => {
      const response = await this.#post('xhr_send', String(text)).catch(() => undefined)
      if (!response || response.ok) return
      const ending = { code: response.status, reason: await response.text() }
      // Where the session is closed, its poll says why; by a proxy it may come later than this answer.
      await Promise.race([this.closed, new Promise((resolve) => setTimeout(resolve, POLL_LATER))])
      this.ended(ending)
    })
  }

  destroy(): void {
    this.#abort.abort()
  }

  async #goOn(): Promise<void> {
    while (!this.ending) {
      const frame = await this.#poll()
      if (frame.startsWith('a')) this.came(JSON.parse(frame.slice(1)))
      if (frame.startsWith('c')) this.ended(endingOf(frame))
    }
  }

  async #poll(): Promise<string> {
    const response = await this.#post('xhr', '')
    if (!response.ok) this.ended({ code: response.status, reason: response.statusText })
    return (await response.text()).trim()
  }

  #post(transport: string, body: string): Promise<Response> {
    const { signal } = this.#abort
    return fetch(`${this.#url}/${transport}`, { method: 'POST', body, headers: this.#headers, signal })
  }
}

const PEERS = {
  websocket: PlainPeer,
  'sockjs-websocket': SockJSPeer,
  'xhr-polling': PollingPeer,
}

export function openPeer(carrier: Carrier, url: string, headers: Record<string, string> = {}): Peer {
  return new PEERS[carrier](url, headers)
}

/** A plain WebSocket that can stop reading. */
export function openReader(url: string): PlainPeer {
  return new PlainPeer(url, {})
}

function endingOf(frame: string): Ending {
  const [code, reason] = JSON.parse(frame.slice(1)) as [number, string]
  return { code, reason }
}

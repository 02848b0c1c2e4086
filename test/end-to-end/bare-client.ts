/** A program without the library, on a raw WebSocket. */
import { once } from 'node:events'
import WebSocket, { type ClientOptions } from 'ws'
import { Inbox } from '../server/inbox.js'
import type { Site } from './fixture.js'

export class BareClient {
  /** Frames that came, binary ones as `Buffer`. */
  readonly frames = new Inbox<string | Buffer>()
  /** How it ended. */
  readonly closed: Promise<readonly [code: number, reason: string]>

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data, isBinary) => this.frames.put(isBinary ? (data as Buffer) : String(data)))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve([code, String(reason)]))
    })
  }

  /** One that is open. @param query begins with `?`, if there is one */
  static async open(site: Site, query = '', options: BareOptions = {}): Promise<BareClient> {
    const client = BareClient.begin(site, query, options)
    await once(client.socket, 'open')
    return client
  }

  /** One that may still be refused. */
  static begin(site: Site, query = '', { protocols = [], ...options }: BareOptions = {}): BareClient {
    return new BareClient(new WebSocket(`ws://${site.host}/sockets/raw${query}`, protocols, options))
  }

  /** The status with which one is refused. */
  static async refusal(site: Site, query = '', options: BareOptions = {}): Promise<number> {
    const { socket } = BareClient.begin(site, query, options)
    const [, response] = await once(socket, 'unexpected-response')
    socket.terminate()
    return response.statusCode
  }

  send(...texts: readonly string[]): void {
    for (const text of texts) this.socket.send(text)
  }

  /** The next text that comes. */
  next(): Promise<string | Buffer> {
    return this.frames.next()
  }

  close(code?: number): void {
    this.socket.close(code)
  }
}

/** How it connects. */
export interface BareOptions extends ClientOptions {
  readonly protocols?: string[]
}

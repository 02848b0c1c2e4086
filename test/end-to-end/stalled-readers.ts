/** Subscribers that stop reading, by every way in, and subscribers that see whether anything is missing. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import type { Site } from './fixture.js'
import { frameOf, OPCODES, RawWebSocket } from './raw-websocket.js'

/** A subscriber that reads nothing since it is one. */
export interface StalledReader {
  /** Reads again. @returns the code that it was closed with */
  ending(): Promise<number>
  destroy(): void
}

/** The ways in by which a reader can stall. */
export const STALLING = {
  websocket: (site: Site, channel: string) => stallWebSocket(site, channel, '/sockets/websocket'),
  'sockjs-websocket': (site: Site, channel: string) =>
    stallWebSocket(site, channel, `/sockets/000/${randomUUID()}/websocket`),
  'xhr-streaming': stallStream,
} as const

async function stallWebSocket(site: Site, channel: string, path: string): Promise<StalledReader> {
  const raw = await subscribed(site, channel, path)
  raw.pause()
  raw.hear = () => {}
  return {
    ending: () => {
      raw.resume()
      return raw.closed
    },
    destroy: () => raw.destroy(),
  }
}

async function stallStream(site: Site, channel: string): Promise<StalledReader> {
  const session = new HttpSession(site)
  const sent = request(`${session.url}/xhr_streaming`, { method: 'POST', agent: false })
  const [response] = (await once(sent.end(), 'response')) as [IncomingMessage]
  response.on('error', () => {})
  await session.subscribe(channel)
  return {
    ending: async () => {
      response.resume()
      await once(response, 'close')
      return session.ending()
    },
    destroy: () => void sent.destroy(),
  }
}

/** A session of SockJS's HTTP transports that receives only what a test asks for. */
export class HttpSession {
  readonly url: string
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
    this.url = `${site.url}/sockets/000/${randomUUID()}`
  }

  /** Polls. @returns the frame */
  async poll(): Promise<string> {
    return (await (await this.#post('xhr', '')).text()).trim()
  }

  /** Sends messages. @returns the status */
  async send(...messages: readonly object[]): Promise<number> {
    return (await this.#post('xhr_send', JSON.stringify(messages.map((one) => JSON.stringify(one))))).status
  }

  /** Says the token, and subscribes. Resolves when the server has done so, without reading its answers. */
  async subscribe(channel: string): Promise<void> {
    const before = this.#site.sockets.sockets().length
    await this.send({ rpc: 'auth', token: await this.#site.token(), uuid: '1' })
    while (this.#site.sockets.sockets().length === before) await new Promise(setImmediate)
    await this.send({ rpc: '_subscribe', req: { channel }, uuid: '2' })
    while (this.#site.sockets.sockets()[before]?.channels.length === 0) await new Promise(setImmediate)
  }

  /** Polls until the server says that it is over. @returns the code */
  async ending(): Promise<number> {
    for (;;) {
      const frame = await this.poll()
      if (frame.startsWith('c')) return (JSON.parse(frame.slice(1)) as [number])[0]
    }
  }

  #post(transport: string, body: string): Promise<Response> {
    return fetch(`${this.url}/${transport}`, { method: 'POST', body })
  }
}

/** A subscriber that sees whether anything is missing, or out of order, and keeps nothing of it. */
export class CountingReader {
  /** How many came. */
  count = 0
  readonly raw: RawWebSocket
  #fault: string | undefined

  private constructor(raw: RawWebSocket) {
    this.raw = raw
    raw.hear = ({ opcode, payload }) => {
      if (opcode === OPCODES.close) this.#fault ??= `closed with ${payload.readUInt16BE()}`
      if (opcode === OPCODES.text) for (const [number] of String(payload).matchAll(NUMBER)) this.#came(number)
    }
  }

  static async open(site: Site, channel: string): Promise<CountingReader> {
    return new CountingReader(await subscribed(site, channel, '/sockets/websocket'))
  }

  /** @throws if anything was missing, came twice or in another order, or if the reader was closed */
  check(): void {
    if (this.#fault) throw new Error(this.#fault)
  }

  #came(number: string): void {
    if (number !== numbered(this.count)) this.#fault ??= `${number} came for ${numbered(this.count)}`
    this.count += 1
  }
}

const NUMBER = /#\d+#/g

/** What marks a publication, for {@link CountingReader}. @param count of those before it */
export function numbered(count: number): string {
  return `#${count}#`
}

/** A WebSocket that is subscribed to a channel. @param path plain, or SockJS’s */
export async function subscribed(site: Site, channel: string, path: string): Promise<RawWebSocket> {
  const raw = await RawWebSocket.open(site.port, path)
  const send = (message: object) => {
    const json = JSON.stringify(message)
    raw.write(frameOf(OPCODES.text, path.endsWith('/sockets/websocket') ? json : JSON.stringify([json])))
  }
  send({ rpc: 'auth', token: await site.token(), uuid: 'auth' })
  await raw.find(OPCODES.text, (payload) => payload.includes('success'))
  send({ rpc: '_subscribe', req: { channel }, uuid: 'subscribe' })
  await raw.find(OPCODES.text, (payload) => /"_subscribe|\\"_subscribe/.test(payload))
  return raw
}

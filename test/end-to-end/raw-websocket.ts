/** A WebSocket client that writes whatever bytes a test wants, and can stop reading. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** RFC 6455, section 5.2. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** What a frame may be besides final, masked, and without extensions. */
export interface FrameSettings {
  /** @default true */
  readonly fin?: boolean
  /** The three reserved bits. @default 0 */
  readonly reserved?: number
  /** @default true */
  readonly masked?: boolean
}

/** A frame as a client sends it, if the settings say nothing else. */
export function frameOf(
  opcode: number,
  payload: string | Buffer = '',
  { fin = true, reserved = 0, masked = true }: FrameSettings = {},
): Buffer {
  const body = Buffer.from(payload)
  const mask = masked ? 0x80 : 0
  const first = (fin ? 0x80 : 0) | (reserved << 4) | opcode
  const head =
    body.length < 126
      ? Buffer.from([first, mask | body.length])
      : body.length < 65_536
        ? Buffer.from([first, mask | 126, body.length >> 8, body.length & 255])
        : Buffer.concat([Buffer.from([first, mask | 127]), bigEndian(body.length)])
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat(masked ? [head, Buffer.alloc(4), body] : [head, body])
}

function bigEndian(size: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(size))
  return bytes
}

/** A frame of the server. */
export interface RawFrame {
  readonly opcode: number
  readonly payload: Buffer
}

export class RawWebSocket {
  readonly socket: Socket
  /** The code of the server's close frame; 1006 if there was none. */
  readonly closed: Promise<number>
  /** Hears every frame. @default keeps them for `find` */
  hear = (frame: RawFrame): void => void this.#frames.push(frame)
  /** How many pings the server has sent. */
  pings = 0
  readonly #frames: RawFrame[] = []
  #code = 1006
  #rest: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.socket = socket
    // A peer that is cut off is told so by its network.
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.on('close', () => resolve(this.#code))
    })
  }

  /** Opens a connection and upgrades it. @param head comes in one packet with the upgrade. @default nothing */
  static async open(
    port: number,
    path = '/sockets/websocket',
    head: Buffer = Buffer.alloc(0),
  ): Promise<RawWebSocket> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    const key = randomBytes(16).toString('base64')
    const lines = [`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket']
    const request = [...lines, 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`].join('\r\n')
    socket.write(Buffer.concat([Buffer.from(`${request}\r\n\r\n`), head]))
    const raw = new RawWebSocket(socket)
    raw.#rest = await raw.#upgraded()
    socket.on('data', (chunk) => raw.#read(chunk))
    raw.#read(Buffer.alloc(0))
    return raw
  }

  /** Whether more may be written without waiting. */
  write(...frames: readonly Buffer[]): boolean {
    return this.socket.write(Buffer.concat(frames))
  }

  /** Sends a message. */
  send(message: object): void {
    this.write(frameOf(OPCODES.text, JSON.stringify(message)))
  }

  /** From now on reads so many bytes a second, in small portions. */
  readAtMost(pace: number): void {
    this.socket.on('data', ({ length }: Buffer) => {
      this.socket.pause()
      setTimeout(() => this.socket.resume(), (length / pace) * 1000)
    })
  }

  /** The first frame of a kind that comes or came, and is so. */
  async find(opcode: number, isSo: (payload: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const found = this.#frames.find((frame) => frame.opcode === opcode && isSo(String(frame.payload)))
      if (found) return String(found.payload)
      if (this.socket.destroyed) throw new Error(`closed with ${this.#code}, and the frame never came`)
      await Promise.race([once(this.socket, 'data').catch(() => {}), this.closed])
    }
  }

  /** Reads no more. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroy(): void {
    this.socket.destroy()
  }

  async #upgraded(): Promise<Buffer> {
    let head = Buffer.alloc(0)
    for (;;) {
      const [chunk] = (await once(this.socket, 'data')) as [Buffer]
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) continue
      if (!head.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(String(head))
      return head.subarray(end + 4)
    }
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (let size = sizeOf(bytes); size && bytes.length >= size.head + size.payload; size = sizeOf(bytes)) {
      const end = size.head + size.payload
      this.#came({ opcode: (bytes[0] as number) & 15, payload: bytes.subarray(size.head, end) })
      bytes = bytes.subarray(end)
    }
    // A part of a packet would keep all of it.
    this.#rest = Buffer.from(bytes)
  }

  #came(frame: RawFrame): void {
    if (frame.opcode === OPCODES.close && frame.payload.length > 1) this.#code = frame.payload.readUInt16BE()
    this.hear(frame)
    if (frame.opcode === OPCODES.ping) this.#answer(frame.payload)
    if (frame.opcode === OPCODES.close) this.socket.end()
  }

  #answer(ping: Buffer): void {
    this.pings += 1
    this.write(frameOf(OPCODES.pong, ping))
  }
}

/** The bytes of the frame that begins here, if its head is there. */
function sizeOf(bytes: Buffer): { readonly head: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = (bytes[1] as number) & 127
  const head = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < head) return undefined
  if (head === 2) return { head, payload: short }
  return { head, payload: head === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2)) }
}

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** How a message on a Redis channel begins in RESP3. */
const MESSAGE = '>3\r\n$7\r\nmessage\r\n'

/** Stands between nodes and a Redis: it is slow, says nothing, cuts connections or loses messages. */
export class RedisProxy {
  /** Milliseconds that everything takes, either way. */
  delay = 0
  /** Whether nothing passes, either way. */
  isMute = false
  /** Whether nothing passes from Redis to the nodes. */
  isDeaf = false
  /** Whether it breaks every connection at once. */
  isShut = false
  /** Which messages on Redis channels are lost, by their text. */
  loses: (message: string) => boolean = () => false
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** How many connections it has taken. */
  taken = 0

  private constructor(port: number) {
    this.#server = createServer((node) => this.#join(node, connect(port, '127.0.0.1')))
  }

  static async open(port: number): Promise<RedisProxy> {
    const proxy = new RedisProxy(port)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Breaks every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.cut()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #join(node: Socket, redis: Socket): void {
    this.taken += 1
    for (const socket of [node, redis]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    }
    node.on('close', () => redis.destroy())
    redis.on('close', () => node.destroy())
    if (this.isShut) node.destroy()
    node.on('data', (data) => this.#pass(data.toString('latin1'), redis))
    let rest = ''
    redis.on('data', (data) => {
      const [text, left] = this.#filter(rest + data.toString('latin1'))
      rest = left
      if (!this.isDeaf) this.#pass(text, node)
    })
  }

  #pass(text: string, to: Socket): void {
    if (this.isMute || text === '') return
    const write = () => void to.write(text, 'latin1')
    if (this.delay === 0) write()
    else setTimeout(write, this.delay)
  }

  /** @returns what goes on, and the beginning of a message that is not whole yet */
  #filter(text: string): [whole: string, rest: string] {
    let whole = ''
    for (;;) {
      const start = text.indexOf(MESSAGE)
      if (start < 0) return [whole + text, '']
      whole += text.slice(0, start)
      const message = readMessage(text.slice(start))
      if (!message) return [whole, text.slice(start)]
      if (!this.loses(message.payload)) whole += text.slice(start, start + message.length)
      text = text.slice(start + message.length)
    }
  }
}

/** Reads the message at the beginning of a text. */
function readMessage(text: string): { readonly payload: string; readonly length: number } | undefined {
  let at = MESSAGE.length
  let payload = ''
  for (let part = 0; part < 2; part += 1) {
    const end = text.indexOf('\r\n', at)
    const length = Number(text.slice(at + 1, end))
    if (end < 0 || text.length < end + 2 + length + 2) return undefined
    payload = text.slice(end + 2, end + 2 + length)
    at = end + 2 + length + 2
  }
  return { payload, length: at }
}

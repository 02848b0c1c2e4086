/** What stands between a page and its server without knowing HTTP: it can cut connections and lose what they carry. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** What becomes of a WebSocket whose upgrade went through. */
export type Fate =
  | 'kept'
  /** No frame arrives, on either side. */
  | 'mute'
  /** The page hears the server; the server does not hear the page. */
  | 'deaf'
  /** The page's first frame breaks the connection. */
  | 'cut'

/** A listener that takes every connection and never says a word. */
export class BlackHole {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  static async open(): Promise<BlackHole> {
    const hole = new BlackHole()
    await once(hole.#server.listen(0, '127.0.0.1'), 'listening')
    return hole
  }

  private constructor() {
    this.#server = createServer((socket) => keep(this.#sockets, socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    await stop(this.#server, this.#sockets)
  }
}

/** Passes on what comes to a server on the loopback interface. */
export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** Where it listened before it was closed. */
  #port = 0

  /** @param fate of each WebSocket */
  static async open(port: number, fate: Fate = 'kept'): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, fate)
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening')
    return proxy
  }

  private constructor(port: number, fate: Fate) {
    this.#server = createServer((page) => {
      const server = connect(port, '127.0.0.1')
      for (const socket of [page, server]) keep(this.#sockets, socket)
      page.on('close', () => server.destroy())
      server.on('close', () => page.destroy())
      join(page, server, fate)
    })
  }

  /** The address of the page behind it. */
  get origin(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#port
  }

  /** Breaks every connection. New ones are taken as before. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Breaks every connection and refuses new ones. */
  async close(): Promise<void> {
    this.#port = this.port
    await stop(this.#server, this.#sockets)
  }

  /** Takes connections again after {@link close}, at the same address. Harmless when it is open. */
  async reopen(): Promise<void> {
    if (this.#server.listening) return
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
  }
}

/** A browser's upgrade request fits into one packet, and so does the answer; frames follow. */
function join(page: Socket, server: Socket, fate: Fate): void {
  let isWebSocket = false
  let isAnswered = false
  page.on('data', (data) => {
    if (!isWebSocket) {
      isWebSocket = fate !== 'kept' && /\r\nupgrade: *websocket\r\n/i.test(String(data))
      server.write(data)
    } else if (fate === 'cut') {
      page.destroy()
    }
  })
  server.on('data', (data) => {
    if (!isWebSocket || !isAnswered || fate === 'deaf') page.write(data)
    isAnswered = true
  })
}

function keep(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket)
  socket.on('error', () => {}).on('close', () => sockets.delete(socket))
}

async function stop(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
}

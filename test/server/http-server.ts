/** HTTP servers on free ports, and requests that no well-behaved client makes. */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A server of this test file that listens on a free port. */
export class TestServer {
  readonly http: Server
  readonly #sockets = new Set<Socket>()

  private constructor(http: Server) {
    this.http = http
    http.on('connection', (socket) => this.#sockets.add(socket))
  }

  /** @param app answers the requests, such as an Express application */
  static async start(
    app: RequestListener = (_request, response) => response.end('app'),
    options: ServerOptions = {},
  ): Promise<TestServer> {
    const http = createServer(options, app)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    return new TestServer(http)
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  get origin(): string {
    return `http://${this.host}`
  }

  /** Sends bytes as they are and keeps what comes back. */
  async raw(text: string): Promise<RawExchange> {
    const socket = connect(this.port, '127.0.0.1')
    await once(socket, 'connect')
    const exchange = new RawExchange(socket)
    socket.write(text)
    return exchange
  }

  /** Does nothing where it has stopped already. */
  async stop(): Promise<void> {
    if (!this.http.listening) return
    this.http.close()
    // Those that were upgraded too, which the server knows no more.
    for (const socket of this.#sockets) socket.destroy()
    await once(this.http, 'close')
  }
}

/** One TCP connection to a {@link TestServer}. */
export class RawExchange {
  readonly #socket: Socket
  readonly #ended: Promise<void>
  #received = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    this.#ended = new Promise((resolve) => {
      socket.on('close', () => resolve())
    })
  }

  write(text: string): void {
    this.#socket.write(text)
  }

  /** All that came, once the server has ended the connection. */
  async ended(): Promise<string> {
    await this.#ended
    return this.#received
  }

  /** All that came so far, once it matches. */
  async matching(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received)) {
      if (this.#socket.closed) throw new Error(`${pattern} never came, but: ${this.#received}`)
      await Promise.race([once(this.#socket, 'data'), this.#ended])
    }
    return this.#received
  }

  close(): void {
    this.#socket.destroy()
  }
}

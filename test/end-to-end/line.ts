/** A way to a server whose connections a test can cut, in the middle of whatever is on them. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export class Line {
  readonly #server = createServer((socket) => this.#join(socket))
  readonly #sockets = new Set<Socket>()
  readonly #port: number

  private constructor(port: number) {
    this.#port = port
  }

  /** @param port the server's */
  static async to(port: number): Promise<Line> {
    const line = new Line(port)
    await once(line.#server.listen(0, '127.0.0.1'), 'listening')
    return line
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Cuts all that runs over it now. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  stop(): void {
    this.cut()
    this.#server.close()
  }

  #join(near: Socket): void {
    const far = connect(this.#port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  }
}

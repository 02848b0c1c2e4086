import type { ServerSocket } from '../socket/server-socket.js'

/** The subscriptions that the server itself made. Sockets without one cost nothing. */
export class ServerSubscriptions {
  readonly #channels = new WeakMap<ServerSocket, Set<string>>()

  /** The server has subscribed a socket. */
  add(socket: ServerSocket, channel: string): void {
    this.#channels.set(socket, (this.#channels.get(socket) ?? new Set()).add(channel))
  }

  /** Whether the server has subscribed a socket to a channel. */
  has(socket: ServerSocket, channel: string): boolean {
    return this.#channels.get(socket)?.has(channel) === true
  }

  /** A socket has left a channel. */
  delete(socket: ServerSocket, channel: string): void {
    const own = this.#channels.get(socket)
    if (own?.delete(channel) && own.size === 0) this.#channels.delete(socket)
  }
}

import type { ServerSocket } from '../socket/server-socket.js'

/**
 * Sockets that the server subscribes to a channel one after the other. Each is pending until it is taken; an unsubscribe takes it
 * away, also before it is found.
 */
export class PendingGroup {
  readonly #sockets = new Set<ServerSocket>()
  /** One iterator for all: a new one would pass those that were deleted each time. */
  readonly #waiting = this.#sockets.values()
  readonly #done: () => void
  /** Those that were cancelled, or barred, while the group is being filled. */
  readonly #cancelled = new Set<ServerSocket>()
  readonly #bars: ((socket: ServerSocket) => boolean)[] = []
  #isFilled = false

  /** @param done runs when all were taken */
  constructor(done: () => void) {
    this.#done = done
  }

  /** Those that are pending. */
  get sockets(): ServerSocket[] {
    return [...this.#sockets]
  }

  /** Whether a socket is pending. */
  has(socket: ServerSocket): boolean {
    return this.#sockets.has(socket)
  }

  /** A socket is to be subscribed, unless it was cancelled. */
  add(socket: ServerSocket): void {
    const isOut = this.#cancelled.has(socket) || this.#bars.some((isBarred) => isBarred(socket))
    if (!isOut) this.#sockets.add(socket)
  }

  /** All were added. */
  fill(): void {
    this.#isFilled = true
    this.#cancelled.clear()
    this.#bars.length = 0
  }

  /** Takes a socket away, or keeps it out. */
  cancel(socket: ServerSocket): void {
    this.#sockets.delete(socket)
    if (!this.#isFilled) this.#cancelled.add(socket)
  }

  /** Keeps out those that are added from now on, and are meant. */
  bar(isBarred: (socket: ServerSocket) => boolean): void {
    if (!this.#isFilled) this.#bars.push(isBarred)
  }

  /** @returns the next one; `undefined` if none is left */
  take(): ServerSocket | undefined {
    const { value } = this.#waiting.next()
    if (value) this.#sockets.delete(value)
    else this.#done()
    return value
  }
}

import type { ServerSocket } from '../socket/server-socket.js'

/** Publications of one socket that the engine has not accepted yet. */
class Flight {
  #count = 0
  #landed: (() => void) | undefined

  add(): this {
    this.#count += 1
    return this
  }

  /** One was accepted or refused. @returns whether it was the last one */
  remove(): boolean {
    this.#count -= 1
    if (this.#count === 0) this.#landed?.()
    return this.#count === 0
  }

  landed(timeout: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeout === undefined ? undefined : setTimeout(resolve, timeout).unref()
      this.#landed = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/**
 * Counts clients' publications that the engine has not accepted yet, so that a change of
 * authorization can wait for what an older one allowed.
 */
export class PublicationsInFlight {
  readonly #flights = new Map<ServerSocket, Flight>()
  /** Waits that are under way, by socket. */
  readonly #landing = new Map<ServerSocket, Promise<unknown>>()

  /** Adds a publication of a socket. The caller has to pass the result to {@link end}. */
  begin(socket: ServerSocket): Flight {
    const known = this.#flights.get(socket)
    if (known) return known.add()
    const flight = new Flight()
    this.#flights.set(socket, flight)
    return flight.add()
  }

  /** The engine has accepted or refused it. */
  end(socket: ServerSocket, flight: Flight): void {
    if (flight.remove() && this.#flights.get(socket) === flight) this.#flights.delete(socket)
  }

  /**
   * Waits for the publications of a socket so far, without later ones.
   * @param timeout milliseconds after which it stops waiting. @default none
   * @returns nothing if none is in flight
   */
  landed(socket: ServerSocket, timeout?: number): Promise<unknown> | undefined {
    const earlier = this.#landing.get(socket)
    const flight = this.#flights.get(socket)
    if (!flight) return earlier
    this.#flights.delete(socket)
    const all = Promise.all([earlier, flight.landed(timeout)]).then(() => {
      if (this.#landing.get(socket) === all) this.#landing.delete(socket)
    })
    this.#landing.set(socket, all)
    return all
  }

  /**
   * Waits for the publications of sockets so far, also of closed sockets.
   * @param matches selects the sockets
   * @param timeout milliseconds after which it stops waiting
   */
  async landedWhere(matches: (socket: ServerSocket) => boolean, timeout: number): Promise<void> {
    const sockets = new Set([...this.#flights.keys(), ...this.#landing.keys()])
    await Promise.all([...sockets].filter(matches).map((socket) => this.landed(socket, timeout)))
  }
}

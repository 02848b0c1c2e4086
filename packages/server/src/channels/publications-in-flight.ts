import type { RemoteClient } from '../remote-client.js'

/** Publications of one socket that the engine has not accepted yet. */
class Flight {
  #count = 0
  #landed: (() => void) | undefined

  add(): this {
    this.#count += 1
    return this
  }

  /** One was accepted, or refused. @returns whether it was the last one */
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
 * Counts what clients have published and the engine has not accepted yet, so that a change of
 * authorization can wait for what an older one allowed.
 */
export class PublicationsInFlight {
  readonly #flights = new Map<RemoteClient, Flight>()

  /** A socket publishes. The caller has to give what it gets to {@link end}. */
  begin(socket: RemoteClient): Flight {
    const known = this.#flights.get(socket)
    if (known) return known.add()
    const flight = new Flight()
    this.#flights.set(socket, flight)
    return flight.add()
  }

  /** The engine has accepted it, or not. */
  end(socket: RemoteClient, flight: Flight): void {
    if (flight.remove() && this.#flights.get(socket) === flight) this.#flights.delete(socket)
  }

  /**
   * Waits for what a socket has published until now, but not for what it publishes later.
   * @param timeout milliseconds after which it no longer waits. @default it waits as long as it takes
   * @returns nothing if nothing is in flight
   */
  landed(socket: RemoteClient, timeout?: number): Promise<void> | undefined {
    const flight = this.#flights.get(socket)
    this.#flights.delete(socket)
    return flight?.landed(timeout)
  }
}

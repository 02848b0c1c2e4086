import { eventLoop } from '../runtime/event-loop.js'
import type { ServerSocket } from '../socket/server-socket.js'

/**
 * Channels that sockets leave in one turn of the event loop, over all sockets. Each takes some
 * microseconds.
 */
const PER_TURN = 500

/** A socket whose connection is closed, and its channels. */
export interface Departure {
  readonly socket: ServerSocket
  readonly channels: readonly string[]
  /** How the connection was closed. */
  readonly code: number
  /** It has left all of them. */
  done?(): void
}

/**
 * Removes sockets whose connections are closed from their channels: at once if they are few, else
 * some in each turn of the event loop, in the order of closing. One client may end 100,000
 * subscriptions in one turn.
 */
export class Departures {
  readonly #leave: (departure: Departure, channel: string) => void
  #waiting: Departure[] = []
  /** How many channels of the first one are done. */
  #done = 0
  #left = PER_TURN
  #isArmed = false
  #isClosed = false

  /** @param leave removes a socket from one channel; it does not throw */
  constructor(leave: (departure: Departure, channel: string) => void) {
    this.#leave = leave
  }

  /** Adds a socket. */
  add(departure: Departure): void {
    if (departure.channels.length === 0) return departure.done?.()
    this.#waiting.push(departure)
    if (this.#waiting.length === 1) this.#work()
  }

  /** Does the rest now. What is added later is done at once. */
  close(): void {
    this.#isClosed = true
    this.#work()
  }

  #work(): void {
    let next = 0
    for (; next < this.#waiting.length && this.#hasRoom(); next += 1) {
      const departure = this.#waiting[next] as Departure
      if (!this.#leaveAll(departure)) break
      this.#done = 0
      departure.done?.()
    }
    this.#waiting.splice(0, next)
    this.#arm()
  }

  /** @returns whether all of its channels are done */
  #leaveAll(departure: Departure): boolean {
    const { channels } = departure
    for (; this.#done < channels.length && this.#hasRoom(); this.#done += 1) {
      this.#left -= 1
      this.#leave(departure, channels[this.#done] as string)
    }
    return this.#done === channels.length
  }

  #hasRoom(): boolean {
    return this.#left > 0 || this.#isClosed
  }

  #arm(): void {
    if (this.#isArmed || this.#isClosed) return
    this.#isArmed = true
    eventLoop.setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    this.#isArmed = false
    this.#left = PER_TURN
    if (this.#waiting.length > 0) this.#work()
  }
}

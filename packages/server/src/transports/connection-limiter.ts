import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { addressBlock } from '../http/address-block.js'
import { clientAddress, type TrustProxy } from '../http/forwarded.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { GateLog, ReachedLimit } from './gate-log.js'

/** Limits of {@link ConnectionLimiter}. */
export interface ConnectionLimits {
  /** Connections and polling sessions, at most. A further one is answered 503. */
  readonly connections: number
  /** Those of one address, at most. A further one is answered 429. */
  readonly connectionsPerAddress: number
}

/** Dependencies of {@link ConnectionLimiter}. */
export interface ConnectionLimiterOptions {
  readonly limits: ConnectionLimits
  readonly trusts: TrustProxy
  readonly log: Pick<GateLog, 'limit'>
  /** How many connections all transports have. */
  size(): number
}

/** Applies the limits to the connections of all transports together. */
export class ConnectionLimiter {
  readonly #options: ConnectionLimiterOptions
  /** The connections and sessions of each address. */
  readonly #addresses = new OwnerCounts()
  /** The addresses of upgraded sockets. */
  readonly #open = new Map<Duplex, string>()
  /**
   * Runs when any of those closes. A closure for each socket would take memory as long as the
   * socket is open.
   */
  readonly #onclose: (this: Duplex) => void
  /** Upgrades that wait for their turn, which no transport counts yet. */
  #waiting = 0

  constructor(options: ConnectionLimiterOptions) {
    this.#options = options
    const closed = (socket: Duplex) => this.#closed(socket)
    this.#onclose = function (this: Duplex) {
      closed(this)
    }
  }

  /** Returns the address that a request counts for. */
  addressOf(request: IncomingMessage): string {
    return addressBlock(clientAddress(request, this.#options.trusts))
  }

  /** Returns the status that refuses a further connection of an address, or `undefined`. */
  refusalFor(address: string): 503 | 429 | undefined {
    const { limits, size } = this.#options
    const { connections, connectionsPerAddress } = limits
    if (size() + this.#waiting >= connections)
      return this.#full(503, { option: 'limits.connections', limit: connections })
    if (this.#addresses.of(address) < connectionsPerAddress) return undefined
    const limit = connectionsPerAddress
    return this.#full(429, { option: 'limits.connectionsPerAddress', limit, address })
  }

  /** Counts a connection for an address, until it is removed. */
  add(address: string): void {
    this.#addresses.add(address)
  }

  /** Stops counting a connection. */
  remove(address: string): void {
    this.#addresses.remove(address)
  }

  /** Counts a connection until its socket closes. */
  addUntilClosed(address: string, socket: Duplex): void {
    this.add(address)
    this.#open.set(socket, address)
    socket.on('close', this.#onclose)
  }

  /** Counts an upgrade that waits for its turn. @returns a function that stops counting it */
  addWaiting(): () => void {
    this.#waiting += 1
    return () => {
      this.#waiting -= 1
    }
  }

  #closed(socket: Duplex): void {
    const address = this.#open.get(socket)
    if (address === undefined) return
    this.#open.delete(socket)
    this.remove(address)
  }

  #full<Status>(status: Status, details: ReachedLimit): Status {
    this.#options.log.limit(details)
    return status
  }
}

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { addressBlock } from '../http/address-block.js'
import { clientAddress, type TrustProxy } from '../http/forwarded.js'
import { OwnerCounts } from '../runtime/owner-counts.js'
import type { GateLog, ReachedLimit } from './gate-log.js'

/** Limits of {@link ConnectionLimiter}. */
export interface ConnectionLimits {
  /** How many connections and polling sessions there may be; one more is answered 503. */
  readonly connections: number
  /** How many of them one address may have; one more is answered 429. */
  readonly connectionsPerAddress: number
}

/** Dependencies of {@link ConnectionLimiter}. */
export interface ConnectionLimiterOptions {
  readonly limits: ConnectionLimits
  readonly trusts: TrustProxy
  readonly log: Pick<GateLog, 'limit'>
  /** The connections that all transports have. */
  size(): number
}

/** Holds the connections of all transports together to their limits. */
export class ConnectionLimiter {
  readonly #options: ConnectionLimiterOptions
  /** The connections and sessions of each address. */
  readonly #addresses = new OwnerCounts()
  /** The addresses of upgraded sockets. */
  readonly #open = new Map<Duplex, string>()
  /** For the end of any of those: a closure for each would be kept as long. */
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

  /** The address that a request counts for. */
  addressOf(request: IncomingMessage): string {
    return addressBlock(clientAddress(request, this.#options.trusts))
  }

  /** The status that refuses one more connection of an address, if one does. */
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

  /** Counts an upgrade that waits for its turn. @returns a function that ends that */
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

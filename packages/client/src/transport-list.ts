import { type Connection, RpcError } from '@token-socket/protocol'
import type { Logger, TransportName } from './options.js'
import { limitTime } from './time-limit.js'

/** Opens a connection by one transport. Rejects with `transport_failed` or the signal's reason. */
export type OpenTransport = (signal: AbortSignal) => Promise<Connection>

/** A connection, and how it was made. */
export interface Opened {
  readonly name: TransportName
  readonly connection: Connection
}

/** The transports in the order in which they are tried. The one that worked last is tried first. */
export class TransportList {
  #order: readonly (readonly [TransportName, OpenTransport])[]
  readonly #timeout: number
  readonly #logger: Logger

  /** @param timeout milliseconds that each may take to open */
  constructor(order: readonly (readonly [TransportName, OpenTransport])[], timeout: number, logger: Logger) {
    this.#order = order
    this.#timeout = timeout
    this.#logger = logger
  }

  /**
   * Opens a connection by the first transport that works.
   * @throws RpcError what the last transport failed with, or the signal's reason
   */
  async open(signal: AbortSignal): Promise<Opened> {
    let failure: unknown = new RpcError('transport_failed')
    for (const [name, open] of this.#order) {
      try {
        return { name, connection: await limitTime(this.#timeout, signal, open) }
      } catch (error) {
        if (signal.aborted) throw signal.reason
        this.#logger.debug?.(`${name} did not open`, error)
        failure = RpcError.is(error) ? error : new RpcError('transport_failed', undefined, undefined, error)
      }
    }
    throw failure
  }

  /** The server was reached by this one: from now on it is tried first. */
  prefer(name: TransportName): void {
    this.#order = [...this.#order].sort(([left], [right]) => Number(right === name) - Number(left === name))
  }
}

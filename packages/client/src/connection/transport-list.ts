import { asRpcError, type Connection, RpcError, throwIfAborted } from '@token-socket/protocol'
import { limitTime } from '../runtime/time-limit.js'
import type { Logger, TransportName } from '../settings/options.js'

/** Opens a connection by one transport. Rejects with `transport_failed` or the signal's reason. */
export type OpenTransport = (signal: AbortSignal) => Promise<Connection>

/** A connection, and how it was made. */
export interface Opened {
  readonly name: TransportName
  readonly connection: Connection
  /** Milliseconds that the server may take to answer the first message. */
  readonly timeout: number
  /** Where it leads, for people. */
  readonly url: string
}

/** A transport, how to open it, and where it leads (its name, if left out). */
export type ListedTransport = readonly [name: TransportName, open: OpenTransport, url?: string]

/** The transports in the order in which they are tried. The one that worked last is tried first. */
export class TransportList {
  #order: readonly ListedTransport[]
  readonly #timeout: number
  readonly #logger: Logger
  /** Milliseconds for one that another follows: few, since what is blocked is mostly silent, until one has worked. */
  #fallbackTimeout = 3000
  /** The one that worked last, as long as it has not failed since: the network may be gone for a moment, not WebSocket. */
  #lastGood: TransportName | undefined

  /** @param timeout milliseconds that each may take at most, to open and then to bring the server's answer */
  constructor(order: readonly ListedTransport[], timeout: number, logger: Logger) {
    this.#order = order
    this.#timeout = timeout
    this.#logger = logger
  }

  /**
   * Opens a connection by the first transport that works. The first time that the one that worked last fails, no other is
   * tried.
   * @throws RpcError with the code, `data` and, as its `cause`, the error of the transport that failed last; its text says
   *   why each of them failed. Or the signal's reason
   */
  async open(signal: AbortSignal): Promise<Opened> {
    const failures: string[] = []
    let failure: unknown
    for (const [index, [name, open, url = name]] of this.#order.entries()) {
      const isLast = index === this.#order.length - 1
      const timeout = isLast ? this.#timeout : Math.min(this.#timeout, this.#fallbackTimeout)
      try {
        return { name, url, timeout, connection: await limitTime([timeout], signal, open) }
      } catch (error) {
        throwIfAborted(signal)
        this.#logger.debug?.(`${name} did not open`, error)
        const { code, data, message } = asRpcError(error, 'transport_failed')
        failures.push(`${name} failed: ${url}: ${message}`)
        failure = new RpcError(code, failures.join('; '), data, error)
        if (this.#lastGood === name) break
      }
    }
    this.#lastGood = undefined
    this.#fallbackTimeout *= 2
    throw failure
  }

  /** The server was reached by this one: from now on it is tried first. */
  prefer(name: TransportName): void {
    this.#fallbackTimeout = this.#timeout
    this.#lastGood = name
    this.#move(name, -1)
  }

  /** This one opened and then brought nothing: from now on it is tried last. */
  demote(name: TransportName): void {
    this.#lastGood = undefined
    this.#fallbackTimeout *= 2
    this.#move(name, 1)
  }

  #move(name: TransportName, by: number): void {
    this.#order = [...this.#order].sort(([left], [right]) => by * (+(left === name) - +(right === name)))
  }
}

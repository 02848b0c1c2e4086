import { asRpcError, type Connection, RpcError, throwIfAborted } from '@token-socket/protocol'
import { limitTime } from '../runtime/time-limit.js'
import type { Logger, TransportName } from '../settings/options.js'

/** Opens a connection by one transport. Rejects with `transport_failed` or the signal's reason. */
export type OpenTransport = (signal: AbortSignal) => Promise<Connection>

/** An open connection, and how it was opened. */
export interface Opened {
  readonly name: TransportName
  readonly connection: Connection
  /** Milliseconds that the server may take to answer the first message. */
  readonly timeout: number
  /** The URL, for people. */
  readonly url: string
}

/** A transport's name, the function that opens it, and its URL (its name, if left out). */
export type ListedTransport = readonly [name: TransportName, open: OpenTransport, url?: string]

/** The transports in the order of attempts. The one that worked last comes first. */
export class TransportList {
  #order: readonly ListedTransport[]
  readonly #timeout: number
  readonly #logger: Logger
  /**
   * Milliseconds for a transport that another one follows: few, since a blocked transport mostly is
   * silent. Until one has worked.
   */
  #fallbackTimeout = 3000
  /**
   * The transport that worked last, unless it has failed since: a failure may be one of the
   * network, not of WebSocket.
   */
  #lastGood: TransportName | undefined

  /**
   * @param timeout milliseconds that each transport may take to open, and then to bring the
   *   server's answer
   */
  constructor(order: readonly ListedTransport[], timeout: number, logger: Logger) {
    this.#order = order
    this.#timeout = timeout
    this.#logger = logger
  }

  /**
   * Opens a connection by the first transport that works. When the transport that worked last fails
   * for the first time, no other one is tried.
   * @throws RpcError with the code, `data` and `cause` of the transport that failed last; its text
   *   says why each transport failed. Or the signal's reason
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

  /** The server answered by this transport: it comes first from now on. */
  prefer(name: TransportName): void {
    this.#fallbackTimeout = this.#timeout
    this.#lastGood = name
    this.#move(name, -1)
  }

  /** This transport opened and brought nothing: it comes last from now on. */
  demote(name: TransportName): void {
    this.#lastGood = undefined
    this.#fallbackTimeout *= 2
    this.#move(name, 1)
  }

  #move(name: TransportName, by: number): void {
    this.#order = [...this.#order].sort(([left], [right]) => by * (+(left === name) - +(right === name)))
  }
}

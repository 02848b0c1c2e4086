import { RpcError } from '@token-socket/protocol'
import { TurnThrottle } from '../runtime/turn-throttle.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { PendingGroup } from './pending-group.js'

/** Subscriptions of one bulk that run at once. Each may wait for the engine. */
const AT_ONCE = 32

/** Dependencies of {@link BulkSubscriptions}. */
export interface BulkSubscriptionsOwner {
  has(socket: ServerSocket, channel: string): boolean
  /**
   * Whether a socket is on a channel because of a request that is not answered yet. It loses the
   * channel if that fails.
   */
  isBeginning(socket: ServerSocket, channel: string): boolean
  subscribe(socket: ServerSocket, channel: string): Promise<void>
  /** Keeps a socket on a channel by the server's request, too. */
  keep(socket: ServerSocket, channel: string): void
  failed(cause: unknown, details: object): void
}

/** The result of subscribing many sockets. */
export interface BulkOutcome {
  /** How many are on the channel, including those that were on it before. */
  readonly count: number
  /** How many could not be subscribed. */
  readonly failed: number
  /** The codes of their errors, each once. */
  readonly reasons: readonly string[]
}

/**
 * Subscribes many sockets to a channel, a few in each turn of the event loop. An unsubscribe
 * meanwhile wins, also over sockets whose turn has not come.
 */
export class BulkSubscriptions {
  readonly #owner: BulkSubscriptionsOwner
  /** Shared, so that many bulks together do not make a turn long. */
  readonly #throttle = new TurnThrottle()

  constructor(owner: BulkSubscriptionsOwner) {
    this.#owner = owner
  }

  /** Subscribes a complete group. A failure of one socket does not affect the others. */
  async run(group: PendingGroup, channel: string): Promise<BulkOutcome> {
    const outcome = { count: 0, failed: 0, reasons: new Set<string>() }
    const work = async () => {
      for (;;) {
        await this.#throttle.wait()
        const socket = group.take()
        if (!socket) return
        const error = await this.#subscribe(socket, channel)
        if (error) outcome.reasons.add(error.code)
        if (error) outcome.failed += 1
        else if (this.#owner.has(socket, channel)) outcome.count += 1
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    return { ...outcome, reasons: [...outcome.reasons] }
  }

  #isSettled(socket: ServerSocket, channel: string): boolean {
    return this.#owner.has(socket, channel) && !this.#owner.isBeginning(socket, channel)
  }

  /** @returns the error that kept it off the channel, if any */
  async #subscribe(socket: ServerSocket, channel: string): Promise<RpcError | undefined> {
    if (socket.isClosed) return undefined
    if (this.#isSettled(socket, channel)) {
      this.#owner.keep(socket, channel)
      return undefined
    }
    try {
      await this.#owner.subscribe(socket, channel)
      return undefined
    } catch (cause) {
      if (RpcError.is(cause)) return cause
      this.#owner.failed(cause, { sid: socket.sid, channel })
      return new RpcError('internal')
    }
  }
}

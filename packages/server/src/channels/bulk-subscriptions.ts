import { RpcError } from '@token-socket/protocol'
import { TurnThrottle } from '../runtime/turn-throttle.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { PendingGroup } from './pending-group.js'

/** Subscriptions of one bulk that run at once: each may wait for the engine. */
const AT_ONCE = 32

/** Dependencies of {@link BulkSubscriptions}. */
export interface BulkSubscriptionsOwner {
  has(socket: ServerSocket, channel: string): boolean
  /** Whether a socket is on a channel by a request whose answer is open: it may lose the channel when that fails. */
  isBeginning(socket: ServerSocket, channel: string): boolean
  subscribe(socket: ServerSocket, channel: string): Promise<void>
  /** A socket is on a channel already: from now on by the server's will, too. */
  keep(socket: ServerSocket, channel: string): void
  failed(cause: unknown, details: object): void
}

/** What came of subscribing many sockets. */
export interface BulkOutcome {
  /** How many are on the channel, those that were on it before included. */
  readonly count: number
  /** How many could not be subscribed. */
  readonly failed: number
  /** The codes of the errors that kept them from it, each once. */
  readonly reasons: readonly string[]
}

/**
 * Subscribes many sockets to a channel, a few in each turn of the event loop. An unsubscribe that comes meanwhile wins, also
 * over those whose turn has not come.
 */
export class BulkSubscriptions {
  readonly #owner: BulkSubscriptionsOwner
  /** One for all, so that many bulks do not make long turns together. */
  readonly #throttle = new TurnThrottle()

  constructor(owner: BulkSubscriptionsOwner) {
    this.#owner = owner
  }

  /** Subscribes a group that is full. One that fails keeps no other from it. */
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

  /** @returns why it is not on the channel, if that is an error */
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

import type { RemoteClient } from '../remote-client.js'

/** A subscription from the moment at which it is wanted until it is done or refused. */
export interface PendingSubscription {
  /** Whether the server has unsubscribed the socket meanwhile. */
  readonly isCancelled: boolean
  /** It is not pending any more. */
  end(): void
}

/** The pending subscriptions of one socket to one channel. They are cancelled together. */
interface Pending {
  count: number
  isCancelled: boolean
}

/**
 * The subscriptions that are under way: their tokens, rules, listeners or broker have not answered yet. An unsubscribe of
 * the server cancels them, at any moment. Those that begin after it are not cancelled: what decides about them is asked later.
 */
export class PendingSubscriptions {
  readonly #channels = new Map<string, Map<RemoteClient, Pending>>()

  /** A socket wants a channel. The caller has to end what it gets. */
  begin(socket: RemoteClient, channel: string): PendingSubscription {
    const sockets = this.#channels.get(channel) ?? new Map<RemoteClient, Pending>()
    const pending = sockets.get(socket) ?? { count: 0, isCancelled: false }
    pending.count += 1
    this.#channels.set(channel, sockets.set(socket, pending))
    return {
      get isCancelled() {
        return pending.isCancelled
      },
      end: () => {
        pending.count -= 1
        if (pending.count === 0 && !pending.isCancelled) this.#remove(socket, channel)
      },
    }
  }

  /** Cancels what a socket has pending for a channel. */
  cancel(socket: RemoteClient, channel: string): void {
    const pending = this.#channels.get(channel)?.get(socket)
    if (!pending) return
    pending.isCancelled = true
    this.#remove(socket, channel)
  }

  /** The sockets that want a channel. */
  on(channel: string): RemoteClient[] {
    return [...(this.#channels.get(channel)?.keys() ?? [])]
  }

  /** How many channels are wanted. */
  get size(): number {
    return this.#channels.size
  }

  #remove(socket: RemoteClient, channel: string): void {
    const sockets = this.#channels.get(channel)
    sockets?.delete(socket)
    if (sockets?.size === 0) this.#channels.delete(channel)
  }
}

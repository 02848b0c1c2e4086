import type { ServerSocket } from '../socket/server-socket.js'
import { PendingGroup } from './pending-group.js'

/** A subscription that was requested, until it is done or refused. */
export interface PendingSubscription {
  /** Whether the server has unsubscribed the socket meanwhile. */
  readonly isCancelled: boolean
  /** Ends it: it is not pending any longer. */
  end(): void
}

/** The pending subscriptions of one socket to one channel, which are cancelled together. */
interface Pending {
  count: number
  isCancelled: boolean
}

/**
 * The subscriptions under way: their tokens, rules, listeners or broker have not answered yet. An
 * unsubscribe of the server cancels them. Subscriptions that begin later are not cancelled, because
 * their decision is made later.
 */
export class PendingSubscriptions {
  readonly #channels = new Map<string, Map<ServerSocket, Pending>>()
  readonly #groups = new Map<string, Set<PendingGroup>>()

  /** Adds a subscription of a socket to a channel. The caller has to end it. */
  begin(socket: ServerSocket, channel: string): PendingSubscription {
    const sockets = this.#channels.get(channel) ?? new Map<ServerSocket, Pending>()
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

  /**
   * Begins to subscribe many sockets to a channel. The caller has to fill the group, and take all
   * of it.
   */
  beginAll(channel: string): PendingGroup {
    const groups = this.#groups.get(channel) ?? new Set()
    const group = new PendingGroup(() => {
      if (groups.delete(group) && groups.size === 0) this.#groups.delete(channel)
    })
    this.#groups.set(channel, groups.add(group))
    return group
  }

  /** Cancels the pending subscriptions of a socket to a channel. */
  cancel(socket: ServerSocket, channel: string): void {
    for (const group of this.#groups.get(channel) ?? []) group.cancel(socket)
    const pending = this.#channels.get(channel)?.get(socket)
    if (!pending) return
    pending.isCancelled = true
    this.#remove(socket, channel)
  }

  /**
   * Keeps sockets out of groups that are being filled for a channel. Sockets that are in a group
   * already have to be cancelled one by one.
   */
  bar(channel: string, isBarred: (socket: ServerSocket) => boolean): void {
    for (const group of this.#groups.get(channel) ?? []) group.bar(isBarred)
  }

  /** Returns the sockets with a pending subscription to a channel. */
  on(channel: string): ServerSocket[] {
    const sockets = [...(this.#channels.get(channel)?.keys() ?? [])]
    const groups = this.#groups.get(channel)
    return groups ? [...new Set([...sockets, ...[...groups].flatMap((group) => group.sockets)])] : sockets
  }

  /** Returns whether a socket has a pending subscription to a channel. */
  has(socket: ServerSocket, channel: string): boolean {
    if (this.#channels.get(channel)?.has(socket)) return true
    return [...(this.#groups.get(channel) ?? [])].some((group) => group.has(socket))
  }

  /** How many subscriptions of a socket to a channel are pending. */
  count(socket: ServerSocket, channel: string): number {
    return this.#channels.get(channel)?.get(socket)?.count ?? 0
  }

  /** How many channels have pending subscriptions. */
  get size(): number {
    return new Set([...this.#channels.keys(), ...this.#groups.keys()]).size
  }

  #remove(socket: ServerSocket, channel: string): void {
    const sockets = this.#channels.get(channel)
    sockets?.delete(socket)
    if (sockets?.size === 0) this.#channels.delete(channel)
  }
}

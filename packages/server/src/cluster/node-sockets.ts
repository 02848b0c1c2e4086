import type { JoiningMatcher } from '../authentication/joining-sockets.js'
import type { BulkOutcome } from '../channels/bulk-subscriptions.js'
import type { PendingGroup } from '../channels/pending-group.js'
import { inShares } from '../runtime/shares.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { matcherOf, type Selection } from './selectors.js'

/** Dependencies of {@link NodeSockets}. */
export interface NodeSocketsOwner {
  /** This node's sockets. */
  readonly hub: {
    readonly sockets: readonly ServerSocket[]
    get(sid: string): ServerSocket | undefined
    on(channel: string): readonly ServerSocket[]
  }
  /** The connections that are not authenticated yet. */
  readonly joining: {
    endWhere(matcher: JoiningMatcher, options: { readonly reconnect: boolean }): number
    later(matcher: JoiningMatcher, act: (socket: ServerSocket) => void): void
  }
  readonly channels: {
    beginAll(channel: string): PendingGroup
    subscribeAll(group: PendingGroup, channel: string): Promise<BulkOutcome>
    unsubscribable(channel: string, isMeant: (socket: ServerSocket) => boolean): readonly ServerSocket[]
    wants(socket: ServerSocket, channel: string): boolean
  }
}

/**
 * Works on the selected sockets of this node, a share of them in each turn of the event loop. It
 * checks the selector when a socket's turn comes.
 */
export class NodeSockets {
  readonly #owner: NodeSocketsOwner

  constructor(owner: NodeSocketsOwner) {
    this.#owner = owner
  }

  /** Counts them. */
  async count(who: Selection): Promise<number> {
    let count = 0
    await this.each(who, () => {
      count += 1
    })
    return count
  }

  /** Calls a function with each socket. The function does not throw. */
  each(who: Selection, run: (socket: ServerSocket) => void): Promise<void> {
    return this.#eachOf(this.#candidates(who), who, run)
  }

  /**
   * Subscribes the selected sockets. Those that are signing in are subscribed when they are
   * authenticated, and are not counted.
   */
  async subscribe(who: Selection, channel: string): Promise<BulkOutcome> {
    this.#owner.joining.later(matcherOf(who), (socket) => {
      // The socket reports the failure.
      socket.subscribe(channel).catch(() => {})
    })
    const group = this.#owner.channels.beginAll(channel)
    await this.each(who, (socket) => group.add(socket))
    group.fill()
    return this.#owner.channels.subscribeAll(group, channel)
  }

  /**
   * Unsubscribes the selected sockets, and cancels subscriptions that are under way. Those that are
   * signing in lose the channel when they are authenticated, and are not counted.
   * @returns how many had the channel, or were being subscribed
   */
  async unsubscribe(who: Selection, channel: string): Promise<number> {
    const { joining, channels } = this.#owner
    let count = 0
    const take = (socket: ServerSocket) => {
      if (channels.wants(socket, channel)) socket.unsubscribe(channel)
    }
    const matcher = matcherOf(who)
    joining.later(matcher, take)
    const sockets = channels.unsubscribable(channel, matcher.matches)
    await this.#eachOf(sockets, who, (socket) => {
      if (channels.wants(socket, channel)) count += 1
      take(socket)
    })
    return count
  }

  /** Closes the selected sockets, and those that are signing in. @returns how many were closed */
  async end(who: Selection, options: { readonly reconnect: boolean }): Promise<number> {
    let count = this.#owner.joining.endWhere(matcherOf(who), options)
    await this.each(who, (socket) => {
      socket.end(options)
      count += 1
    })
    return count
  }

  #candidates({ sid, channel }: Selection): readonly ServerSocket[] {
    const { hub } = this.#owner
    if (sid === undefined) return channel === undefined ? hub.sockets : hub.on(channel)
    const socket = hub.get(sid)
    return socket ? [socket] : []
  }

  #eachOf(
    sockets: readonly ServerSocket[],
    who: Selection,
    run: (socket: ServerSocket) => void,
  ): Promise<void> {
    const { matches } = matcherOf(who)
    return inShares(sockets, (socket) => {
      if (!socket.isClosed && matches(socket)) run(socket)
    })
  }
}

import type { PresenceSnapshot } from '../engine/engine.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { PresenceJoin } from './presence.js'
import { RightJudgements } from './right-judgements.js'

/** A subscription that is checked again. */
export interface Subscription {
  readonly socket: ServerSocket
  readonly channel: string
  /** Whether the socket is still on the channel. */
  isOn(): boolean
}

/** Dependencies of {@link PresenceJudging}. */
export interface PresenceJudgingOwner {
  readonly policy: {
    /** Whether a socket takes part in a channel's presence. */
    hasPresence(socket: ServerSocket, channel: string): boolean | Promise<boolean>
  }
  readonly presence: {
    has(socket: ServerSocket, channel: string): boolean
    isCurrent(socket: ServerSocket, channel: string): boolean
    /** Enters the socket again. Resolves when the engine has recorded it. */
    renew(socket: ServerSocket, channel: string): Promise<PresenceSnapshot | undefined>
    arrive(socket: ServerSocket, channel: string, known?: PresenceSnapshot): Promise<PresenceJoin | undefined>
    leave(socket: ServerSocket, channel: string): boolean
  }
  /**
   * Whether the client was notified that it is on the channel. If not, its subscription enters it
   * later.
   */
  isTold(socket: ServerSocket, channel: string): boolean
  failed(cause: unknown, details: object): void
}

/**
 * Checks the presence of subscriptions again, after the authorization of their socket was replaced.
 * A subscription that has lost the right leaves at once, and its client sees an empty list. One
 * that has gained it joins. One whose `umd` has changed is `updated` for the others. The others are
 * notified first: the client's own list waits until it has read what was sent before.
 */
export class PresenceJudging {
  readonly #owner: PresenceJudgingOwner
  readonly #rights = new RightJudgements()
  /** The channels whose members still have to be sent to clients that have not read yet. */
  readonly #untold = new WeakMap<ServerSocket, Set<string>>()

  constructor(owner: PresenceJudgingOwner) {
    this.#owner = owner
  }

  /**
   * Checks it, for a number of milliseconds: what is not allowed by then ends.
   * @returns nothing if it is done synchronously; else a promise that never rejects
   */
  judge(subscription: Subscription, timeout: number | undefined): Promise<void> | undefined {
    const { policy } = this.#owner
    const { socket, channel, isOn } = subscription
    const ask = () => policy.hasPresence(socket, channel)
    const give = (isCurrent: boolean) => this.#give(subscription, isCurrent, timeout)
    const take = () => this.#take(socket, channel)
    return this.#rights.judge({ socket, channel, isOn, ask, give, take }, timeout)
  }

  /** The socket has left the channel: pending decisions about it there are of no use any longer. */
  forget(socket: ServerSocket, channel: string): void {
    this.#rights.forget(socket, channel)
  }

  #take(socket: ServerSocket, channel: string): void {
    const { presence, isTold } = this.#owner
    const hasLeft = presence.leave(socket, channel)
    if (hasLeft && isTold(socket, channel) && !socket.isLegacy) socket.joined(channel, { members: [] })
  }

  /** A present member shows its new `umd`, also while a later authorization is being checked. */
  #give(subscription: Subscription, isCurrent: boolean, timeout: number | undefined) {
    const { socket, channel } = subscription
    const { presence, isTold } = this.#owner
    const mayEnter = isCurrent || presence.has(socket, channel)
    if (!mayEnter || !isTold(socket, channel) || presence.isCurrent(socket, channel)) return undefined
    return within(this.#renew(subscription), timeout)
  }

  /** What keeps it from presence does not end the subscription. */
  async #renew(subscription: Subscription): Promise<void> {
    const { socket, channel } = subscription
    try {
      const snapshot = await this.#owner.presence.renew(socket, channel)
      if (snapshot) void this.#tell(subscription, snapshot)
    } catch (cause) {
      this.#fail(subscription, cause)
    }
  }

  /** No list is kept for a client that does not read. It is made when the client has read. */
  async #tell(subscription: Subscription, snapshot: PresenceSnapshot): Promise<void> {
    const { socket, channel } = subscription
    const untold = this.#untold.get(socket) ?? new Set()
    if (untold.has(channel)) return
    this.#untold.set(socket, untold.add(channel))
    let known: PresenceSnapshot | undefined = snapshot
    const told = socket.bulk.run(() => {
      untold.delete(channel)
      return this.#tellNow(subscription, known)
    })
    known = undefined
    await told
  }

  async #tellNow(
    { socket, channel, isOn }: Subscription,
    known: PresenceSnapshot | undefined,
  ): Promise<void> {
    try {
      const arrival = await this.#owner.presence.arrive(socket, channel, known)
      if (arrival && isOn()) socket.joined(channel, { members: arrival.members })
      arrival?.follow()
    } catch (cause) {
      this.#fail({ socket, channel }, cause)
    }
  }

  #fail({ socket, channel }: Pick<Subscription, 'socket' | 'channel'>, cause: unknown): void {
    // The client must not see a list that is not kept up to date.
    this.#take(socket, channel)
    this.#owner.failed(cause, { sid: socket.sid, channel, step: 'presence' })
  }
}

/** Waits, for a number of milliseconds at most, for a promise that never rejects. */
function within(work: Promise<void>, timeout: number | undefined): Promise<void> {
  if (timeout === undefined) return work
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, timeout).unref()
    work.then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

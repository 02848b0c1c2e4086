import type { Arrival } from '../presence.js'
import type { RemoteClient } from '../remote-client.js'

/** A subscription that is being judged. */
export interface Subscription {
  readonly socket: RemoteClient
  readonly channel: string
  /** Whether the socket is still on the channel. */
  isOn(): boolean
  /** Whether it is, and the authorization is the one by which it is judged. */
  isCurrent(): boolean
}

/** Dependencies of {@link PresenceJudging}. */
export interface PresenceJudgingOwner {
  readonly policy: {
    /** Whether a socket takes part in a channel's presence. */
    hasPresence(socket: RemoteClient, channel: string): boolean | Promise<boolean>
  }
  readonly presence: {
    isCurrent(socket: RemoteClient, channel: string): boolean
    renew(socket: RemoteClient, channel: string, isWanted: () => boolean): Promise<Arrival | undefined>
    leave(socket: RemoteClient, channel: string): boolean
  }
  /** Whether the client knows that it is on the channel. Its subscription enters it then. */
  isTold(socket: RemoteClient, channel: string): boolean
  failed(cause: unknown, details: object): void
}

/**
 * Judges the presence of subscriptions that go on, after the authorization of their socket was
 * replaced. One that has lost the right leaves at once, and its client sees an empty list. One that
 * has gained it joins, and one whose `umd` has changed is `updated` for the others.
 */
export class PresenceJudging {
  readonly #owner: PresenceJudgingOwner

  constructor(owner: PresenceJudgingOwner) {
    this.#owner = owner
  }

  /** @returns nothing if it is done at once; else a promise, which never rejects */
  judge(subscription: Subscription): Promise<void> | undefined {
    const { socket, channel } = subscription
    const takesPart = this.#owner.policy.hasPresence(socket, channel)
    if (!(takesPart instanceof Promise)) return this.#apply(subscription, takesPart)
    return takesPart.then((decided) => this.#apply(subscription, decided))
  }

  #apply(subscription: Subscription, takesPart: boolean): Promise<void> | undefined {
    const { socket, channel } = subscription
    const { presence, isTold } = this.#owner
    if (!subscription.isCurrent()) return undefined
    if (!takesPart) {
      const hasLeft = presence.leave(socket, channel)
      if (hasLeft && isTold(socket, channel) && !socket.isOld) socket.joined(channel, { members: [] })
      return undefined
    }
    if (!isTold(socket, channel) || presence.isCurrent(socket, channel)) return undefined
    return this.#renew(subscription)
  }

  /** What keeps it from presence does not end the subscription: that goes on. */
  async #renew({ socket, channel, isOn }: Subscription): Promise<void> {
    const { presence, failed } = this.#owner
    try {
      await socket.bulk.run(async () => {
        const arrival = await presence.renew(socket, channel, isOn)
        if (arrival && isOn()) socket.joined(channel, { members: arrival.members })
        arrival?.follow()
      })
    } catch (cause) {
      presence.leave(socket, channel)
      failed(cause, { sid: socket.sid, channel, step: 'presence' })
    }
  }
}

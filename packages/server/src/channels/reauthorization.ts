import type { Authorization } from '../claims/authorization.js'
import type { RemoteClient } from '../remote-client.js'
import { Turnstile } from '../turnstile.js'
import type { Refusal } from '../vetoes.js'
import type { ChannelAccess } from './access.js'
import type { PresenceJudging, Subscription } from './presence-judging.js'

/** Dependencies of {@link Reauthorization}. */
export interface ReauthorizationOwner {
  readonly access: Pick<ChannelAccess, 'decide' | 'needsNewProof'>
  readonly presence: Pick<PresenceJudging, 'judge'>
  readonly hub: {
    has(socket: RemoteClient, channel: string): boolean
    tellPosition(socket: RemoteClient, channel: string): void
  }
  /** Whether the server itself subscribed a socket: that stays. */
  isOwn(socket: RemoteClient, channel: string): boolean
  /** Takes a socket off a channel that it may not have any longer. */
  revoke(socket: RemoteClient, channel: string): void
  /** Subscribes a socket to channels that only its present grants name. */
  autoSubscribe(socket: RemoteClient, before: Authorization): void
  /** What a socket has published and the engine has not accepted. @returns nothing if none */
  published(socket: RemoteClient): Promise<void> | undefined
  failed(cause: unknown, details: object): void
}

/** Channels that are judged in one turn of the event loop, for all sockets. */
const PER_TURN = 1000

/**
 * Judges again what a socket has, after its authorization was replaced: by the same policy that let
 * it in. What needs no function and no listener is judged at once, up to a share of the turn. What
 * is still being decided meanwhile (requests, pages) compares the version itself.
 */
export class Reauthorization {
  readonly #owner: ReauthorizationOwner
  readonly #turnstile: Turnstile
  /** What each socket's present judging, and those before it, come to. */
  readonly #running = new WeakMap<RemoteClient, Promise<unknown>>()

  /** @param turnstile bounds the work of a turn */
  constructor(owner: ReauthorizationOwner, turnstile = new Turnstile(PER_TURN)) {
    this.#owner = owner
    this.#turnstile = turnstile
  }

  /**
   * Judges a socket by its present authorization. A change during it begins another judging; both
   * promises resolve after the last one. They never reject.
   * @param before what it was allowed until now
   * @returns resolves when nothing is left that only an older authorization allowed
   */
  async judge(socket: RemoteClient, before: Authorization): Promise<void> {
    const earlier = this.#running.get(socket)
    const work = [this.#owner.published(socket), this.#judgeAll(socket, before)]
    this.#owner.autoSubscribe(socket, before)
    let last: Promise<unknown> | undefined = Promise.all([earlier, ...work])
    this.#running.set(socket, last)
    for (let awaited: unknown; last && last !== awaited; last = this.#running.get(socket)) {
      awaited = last
      await last
    }
    this.#running.delete(socket)
  }

  #judgeAll(socket: RemoteClient, before: Authorization): Promise<unknown> {
    const { version } = socket.authorization
    const judged = socket.channels.map((channel) => {
      const isOn = () => !socket.isClosed && this.#owner.hub.has(socket, channel)
      const isCurrent = () => isOn() && socket.authorization.version === version
      return this.#inTurn(() => this.#judge({ socket, channel, isOn, isCurrent }, before))
    })
    return Promise.all(judged)
  }

  /** @returns nothing if it is done at once */
  #inTurn(run: () => Promise<void> | undefined): Promise<void> | undefined {
    let begun: { readonly done: Promise<void> | undefined } | undefined
    let ran = () => {}
    this.#turnstile.pass(() => {
      begun = { done: run() }
      ran()
    })
    if (begun) return begun.done
    return new Promise<void>((resolve) => {
      ran = resolve
    }).then(() => begun?.done)
  }

  #judge(subscription: Subscription, before: Authorization): Promise<void> | undefined {
    const { socket, channel } = subscription
    const { access, hub, isOwn } = this.#owner
    // A later judging compares with later grants only.
    if (subscription.isOn() && access.needsNewProof(socket, before, channel))
      hub.tellPosition(socket, channel)
    if (!subscription.isCurrent()) return undefined
    return isOwn(socket, channel) ? this.#apply(subscription, undefined) : this.#judgeAgain(subscription)
  }

  #judgeAgain(subscription: Subscription): Promise<void> | undefined {
    const { socket, channel } = subscription
    const { grants } = socket
    const refused = this.#decide(socket, channel)
    if (!(refused instanceof Promise)) return this.#apply(subscription, refused)
    return refused.then((refusal) => {
      // A token for the channel may have come meanwhile.
      const isStale = refusal && subscription.isCurrent() && socket.grants !== grants
      return isStale ? this.#judgeAgain(subscription) : this.#apply(subscription, refusal)
    })
  }

  #apply(subscription: Subscription, refused: Refusal | undefined): Promise<void> | undefined {
    if (!subscription.isCurrent()) return undefined
    const { socket, channel } = subscription
    const { presence, revoke, isOwn } = this.#owner
    // The server may have subscribed it while functions were asked.
    return refused && !isOwn(socket, channel) ? void revoke(socket, channel) : presence.judge(subscription)
  }

  #decide(socket: RemoteClient, channel: string): Refusal | undefined | Promise<Refusal | undefined> {
    const { access, failed } = this.#owner
    const refuse = (error: unknown) => {
      failed(error, { sid: socket.sid, channel, step: 'reauthorization' })
      return { error }
    }
    try {
      const decision = access.decide(socket, { type: 'subscribe', id: '', channel })
      return decision instanceof Promise ? decision.catch(refuse) : decision
    } catch (error) {
      return refuse(error)
    }
  }
}

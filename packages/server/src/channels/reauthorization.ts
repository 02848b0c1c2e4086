import type { Authorization } from '../claims/authorization.js'
import type { Refusal } from '../claims/vetoes.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { TurnThrottle } from '../runtime/turn-throttle.js'
import type { ServerSocket } from '../socket/server-socket.js'
import type { ChannelAccess } from './access.js'
import type { PresenceJudging, Subscription } from './presence-judging.js'
import { RightJudgements } from './right-judgements.js'

/** Dependencies of {@link Reauthorization}. */
export interface ReauthorizationOwner {
  readonly access: Pick<ChannelAccess, 'decide' | 'needsNewProof'>
  readonly presence: Pick<PresenceJudging, 'judge' | 'forget'>
  readonly hub: {
    has(socket: ServerSocket, channel: string): boolean
    tellPosition(socket: ServerSocket, channel: string): void
  }
  /** Whether the server itself subscribed a socket, which stays subscribed. */
  isOwn(socket: ServerSocket, channel: string): boolean
  /** Takes a socket off a channel that it may not have any longer. */
  revoke(socket: ServerSocket, channel: string): void
  /** Subscribes a socket to channels that only its new grants name. */
  autoSubscribe(socket: ServerSocket, before: Authorization): void
  /**
   * Waits for a socket's publications that the engine has not accepted. @returns nothing if there
   * are none
   */
  published(socket: ServerSocket): Promise<unknown> | undefined
  readonly limits: {
    /** Milliseconds in which a change has to be decided. @default no limit */
    readonly vetoTimeout?: number | undefined
  }
  /** Logs rights that were dropped. @default none */
  readonly log?: Pick<ThrottledLog, 'write'> | undefined
  failed(cause: unknown, details: object): void
}

/** Channels that are checked in one turn of the event loop, for all sockets. */
const PER_TURN = 1000

const DROPPED =
  'the rights of tokens for channels were dropped: with the new claims of the user they were over the limits'

/**
 * Checks a socket's subscriptions again, after its authorization was replaced, by the policy that
 * allowed them. What needs no function and no listener is checked at once, up to a share of the
 * turn. Requests and pages that are being decided meanwhile compare the version themselves. Nothing
 * here waits for the client.
 */
export class Reauthorization {
  readonly #owner: ReauthorizationOwner
  readonly #throttle: TurnThrottle
  readonly #subscriptions = new RightJudgements()
  /** Waits for publications that are under way, by socket. */
  readonly #landing = new WeakMap<ServerSocket, Promise<unknown>>()

  /** @param throttle limits the work of a turn */
  constructor(owner: ReauthorizationOwner, throttle = new TurnThrottle(PER_TURN)) {
    this.#owner = owner
    this.#throttle = throttle
  }

  /**
   * Checks a socket by its present authorization. Each subscription is decided within `vetoTimeout`
   * from its turn, by this authorization or a later one. What is not allowed by then ends.
   * @param before the former authorization
   * @returns a promise that resolves when nothing is left that only an older authorization allowed;
   *   it never rejects
   */
  async judge(socket: ServerSocket, before: Authorization): Promise<void> {
    if (before.hasAdded && !socket.authorization.hasAdded) this.#logDropped(socket)
    const work = [this.#published(socket), this.#judgeAll(socket, before)]
    this.#owner.autoSubscribe(socket, before)
    await Promise.all(work)
  }

  /** The socket has left the channel: pending decisions about it there are of no use any longer. */
  forget(socket: ServerSocket, channel: string): void {
    this.#subscriptions.forget(socket, channel)
    this.#owner.presence.forget(socket, channel)
  }

  #logDropped({ sid, uid }: ServerSocket): void {
    this.#owner.log?.write('dropped rights', ['warn', { sid, uid }, DROPPED])
  }

  /** What an earlier change waits for may not have arrived yet. */
  #published(socket: ServerSocket): Promise<unknown> | undefined {
    const earlier = this.#landing.get(socket)
    const published = this.#owner.published(socket)
    if (!published) return earlier
    const landing = Promise.all([earlier, published]).then(() => {
      if (this.#landing.get(socket) === landing) this.#landing.delete(socket)
    })
    this.#landing.set(socket, landing)
    return landing
  }

  #judgeAll(socket: ServerSocket, before: Authorization): Promise<unknown> {
    const judged = socket.channelNames.map((channel) => {
      const isOn = () => !socket.isClosed && this.#owner.hub.has(socket, channel)
      return this.#inTurn(() => this.#judge({ socket, channel, isOn }, before))
    })
    return Promise.all(judged)
  }

  /** @returns nothing if it is done synchronously */
  #inTurn(run: () => Promise<void> | undefined): Promise<void> | undefined {
    let begun: { readonly done: Promise<void> | undefined } | undefined
    let ran = () => {}
    this.#throttle.run(() => {
      begun = { done: run() }
      ran()
    })
    if (begun) return begun.done
    return new Promise<void>((resolve) => {
      ran = resolve
    }).then(() => begun?.done)
  }

  /** By the authorization of its turn: there may be a later one by then. */
  #judge(subscription: Subscription, before: Authorization): Promise<void> | undefined {
    const { socket, channel, isOn } = subscription
    const { access, hub, isOwn, presence, revoke, limits } = this.#owner
    const { vetoTimeout } = limits
    if (!isOn()) return undefined
    // A later check compares with later grants only.
    if (access.needsNewProof(socket, before, channel)) hub.tellPosition(socket, channel)
    if (isOwn(socket, channel)) return presence.judge(subscription, vetoTimeout)
    const begun = performance.now()
    const ask = () => this.#ask(subscription)
    // The server may have subscribed it while functions were asked.
    const take = () => void (isOwn(socket, channel) || revoke(socket, channel))
    const right = { socket, channel, isOn, ask, take }
    const decided = this.#subscriptions.judge(right, vetoTimeout)
    if (!decided) return isOn() ? presence.judge(subscription, vetoTimeout) : undefined
    return decided.then(() => {
      const left = vetoTimeout && Math.max(1, Math.ceil(begun + vetoTimeout - performance.now()))
      return isOn() ? presence.judge(subscription, left) : undefined
    })
  }

  /** Decides whether the socket may be on the channel. It does not reject. */
  #ask(subscription: Subscription): boolean | Promise<boolean> {
    const { socket, channel, isOn } = subscription
    const { grants, authorization } = socket
    const refused = this.#decide(socket, channel)
    if (!(refused instanceof Promise)) return !refused
    return refused.then((refusal) => {
      if (!refusal) return true
      // A token for this channel may have arrived meanwhile. One for another channel changes
      // nothing here.
      const isCurrent = isOn() && socket.authorization.version === authorization.version
      return isCurrent && !grants.saysTheSame(socket.grants, channel) ? this.#ask(subscription) : false
    })
  }

  #decide(socket: ServerSocket, channel: string): Refusal | undefined | Promise<Refusal | undefined> {
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

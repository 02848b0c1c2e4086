import {
  decodeError,
  limitError,
  type Outcome,
  type Position,
  type RpcError,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import { ClientTimeouts } from '../runtime/client-timeouts.js'
import { nameError } from '../settings/bad-argument.js'
import {
  type RequestType,
  Subscription,
  type SubscriptionEvents,
  type SubscriptionOwner,
} from './subscription.js'

/** Dependencies of {@link Subscriptions}. */
export interface SubscriptionsOwner extends SubscriptionEvents {
  /** The server has answered the requests of a new connection. Called once for each connection. */
  restored(): void
  /**
   * The server alone has subscribed this socket to more channels than the limit: this channel is
   * ignored.
   */
  ignored(channel: string): void
}

/** Limits on subscriptions; see the options of the same names. */
export interface SubscriptionsLimits {
  /** Milliseconds until a request times out. */
  readonly callTimeout: number
  /**
   * The maximum number of callers that wait while there is no connection; the next one fails with
   * `queue_full`.
   */
  readonly queueSize: number
  /**
   * `callsOut`: the maximum number of callers that wait while there is a connection; the next one
   * fails with `too_many_calls`. `grantedChannels`: the maximum number of channels to which only
   * the server has subscribed; further ones are ignored.
   */
  readonly limits: { readonly callsOut: number; readonly grantedChannels: number }
}

/**
 * The channels that this socket or the server desires.
 *
 * The last call wins. While a request runs, further calls for its channel wait for its answer, and
 * only the last of them is sent. A call that another one replaced fails with `aborted`. Calls time
 * out from the moment they are sent.
 */
export class Subscriptions implements SubscriptionOwner {
  readonly events: SubscriptionsOwner
  readonly timers = new ClientTimeouts()
  link: SubscriptionOwner['link'] = 'none'
  callersWaiting = 0
  readonly #subscriptions = new Map<string, Subscription>()
  /** Channels that the server began. */
  readonly #granted = new Set<Subscription>()
  /** Unanswered requests of this connection, by their ids. */
  readonly #requests = new Map<string, Subscription>()
  readonly #restoring = new Set<string>()
  readonly #limits: SubscriptionsLimits
  #final: RpcError | undefined
  #lastId = 0
  /** Whether an ignored channel was reported on this connection. */
  #isIgnoring = false

  constructor(limits: SubscriptionsLimits, owner: SubscriptionsOwner) {
    this.#limits = limits
    this.events = owner
  }

  get callTimeout(): number {
    return this.#limits.callTimeout
  }

  /** The names of the desired channels. */
  get channels(): string[] {
    return [...this.#subscriptions.keys()].filter((channel) => this.has(channel))
  }

  /** Whether a channel is desired, so that its messages are delivered. */
  has(channel: string): boolean {
    return !!this.#subscriptions.get(channel)?.isDesired
  }

  /** Whether the server sends a channel's messages. */
  isOn(channel: string): boolean {
    return this.#subscriptions.get(channel)?.state === 'subscribed'
  }

  /** See {@link Subscription.passed}. */
  passed(channel: string, position: Position): boolean {
    return !!this.#subscriptions.get(channel)?.passed(position)
  }

  /** Subscribes. Resolves when the server has subscribed this socket; at once if it had before. */
  subscribe(channel: string): Promise<void> {
    return this.#call(channel, 'subscribe')
  }

  /**
   * Cancels {@link subscribe}. Resolves when the server has unsubscribed this socket; at once if
   * there is no connection, or a handler is bound to the channel.
   */
  unsubscribe(channel: string): Promise<void> {
    if (!this.events.isBound(channel)) return this.#call(channel, 'unsubscribe')
    const subscription = this.#subscriptions.get(channel)
    if (subscription) subscription.isCalled = false
    return Promise.resolve()
  }

  /** Subscribes for handlers. Events report the outcome. */
  bound(channel: string): void {
    if (!this.has(channel) && !this.#final) this.#find(channel).desire(true)
  }

  /** Cancels {@link bound}. @param isAll cancels {@link subscribe} as well */
  unbound(channel: string, isAll: boolean): void {
    const subscription = this.#subscriptions.get(channel)
    if (!subscription || (subscription.isCalled && !isAll)) return
    subscription.isCalled = false
    subscription.desire(false)
  }

  /** A connection is ready: subscribes to every desired channel again. */
  connected(isLegacy: boolean): void {
    this.link = isLegacy ? 'legacy' : 'current'
    for (const subscription of [...this.#subscriptions.values()]) {
      subscription.reconcile()
      const { request } = subscription
      // A function that requests the channel's token may call the server: calls must not wait for
      // it.
      if (request?.id) this.#restoring.add(request.id)
    }
    // The legacy server may never answer, but it keeps the order.
    if (isLegacy) this.#restoring.clear()
    if (this.#restoring.size === 0) this.events.restored()
  }

  /** The connection is lost, and with it every subscription. The desired channels stay. */
  disconnected(): void {
    this.link = 'none'
    this.#isIgnoring = false
    this.#restoring.clear()
    this.#requests.clear()
    for (const subscription of [...this.#subscriptions.values()]) subscription.lose()
  }

  /** The next connection is another user's: forgets the channels that only the server desires. */
  forgetGranted(): void {
    for (const { channel } of [...this.#granted])
      if (!this.events.isBound(channel)) this.unbound(channel, false)
  }

  /** The socket has ended: forgets every channel, and fails every call, now and later. */
  close(error: RpcError): void {
    this.#final = error
    this.disconnected()
    for (const subscription of this.#subscriptions.values()) subscription.close(error)
    this.#subscriptions.clear()
  }

  /** The server subscribed or unsubscribed this socket, by request or on its own. */
  noticed(notice: SubscriptionNotice): void {
    const { channel, type } = notice
    const known = this.#subscriptions.get(channel)
    if (known) return known.noticed(notice)
    if (type !== 'subscribed') return
    if (this.#granted.size >= this.#limits.limits.grantedChannels) return this.#ignore(channel)
    const granted = this.#find(channel)
    this.#granted.add(granted)
    granted.noticed(notice)
  }

  /** An answer arrived. @returns whether it belongs to a request of this class */
  answered(id: string, outcome: Outcome): boolean {
    const subscription = this.#requests.get(id)
    this.#requests.delete(id)
    subscription?.answered(id, 'error' in outcome ? decodeError(outcome) : undefined)
    return subscription !== undefined
  }

  /** @internal */
  begin(subscription: Subscription): string {
    const id = `s${++this.#lastId}`
    this.#requests.set(id, subscription)
    return id
  }

  /** @internal */
  take(id: string): void {
    this.#requests.delete(id)
  }

  /** @internal */
  end(id: string): void {
    if (this.#restoring.delete(id) && this.#restoring.size === 0) this.events.restored()
  }

  /** @internal */
  forget(subscription: Subscription): void {
    const { channel } = subscription
    if (this.#subscriptions.get(channel) !== subscription) return
    this.#subscriptions.delete(channel)
    this.#granted.delete(subscription)
    this.events.left(channel)
  }

  #call(channel: string, type: RequestType): Promise<void> {
    const refused = nameError('channel', channel) ?? this.#final ?? this.#overLimit()
    if (refused) return Promise.reject(refused)
    const subscription = this.#find(channel)
    subscription.isCalled = type === 'subscribe'
    return subscription.call(type)
  }

  #overLimit(): RpcError | undefined {
    const { queueSize, limits } = this.#limits
    if (this.link === 'none' && this.callersWaiting >= queueSize)
      return limitError('queue_full', { field: 'queueSize', limit: queueSize })
    if (this.callersWaiting >= limits.callsOut)
      return limitError('too_many_calls', { field: 'callsOut', limit: limits.callsOut })
    return undefined
  }

  #find(channel: string): Subscription {
    const found = this.#subscriptions.get(channel) ?? new Subscription(channel, this)
    this.#subscriptions.set(channel, found)
    return found
  }

  /** Asks the server to unsubscribe, so that both ends agree. */
  #ignore(channel: string): void {
    if (!this.#isIgnoring) this.events.ignored(channel)
    this.#isIgnoring = true
    if (this.link !== 'none') this.events.send({ type: 'unsubscribe', id: `s${++this.#lastId}`, channel })
  }
}

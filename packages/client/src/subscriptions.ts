import {
  decodeError,
  type Outcome,
  type Position,
  RpcError,
  refusal,
  type SubscriptionMessage,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import { SUBSCRIPTION_MOVES, type SubscriptionEvent, type SubscriptionState } from './states.js'
import { Timers } from './timers.js'

/** What {@link Subscriptions} need of the socket. */
export interface SubscriptionsOwner {
  /** Sends a request on the link that is ready. */
  send(message: SubscriptionMessage): void
  /** A subscription was not restored on a new link, and nobody waits for the news. */
  failed(error: RpcError): void
  /** What was wanted when the link came has been answered. Called once a link. */
  restored(): void
  /**
   * The server says that we are on a channel, and what it is like there.
   * @param isEarly whether the answer to where we were is still to come
   */
  entered(notice: SubscriptionNotice, isEarly: boolean): void
  /** We are on the channel no more, and will not be. */
  left(channel: string): void
  /** The server said no to our request to subscribe. */
  refused(channel: string, error: RpcError): void
  /** The token to subscribe with, where the channel has one of its own. */
  token(channel: string): Promise<string> | undefined
}

/** Bounds on wishes; see the options of the same names. */
export interface SubscriptionsLimits {
  /** Milliseconds that an answer may take. */
  readonly callTimeout: number
  /** How many wishes may wait while there is no link; the next fails with `queue_full`. */
  readonly queueSize: number
  /** `callsOut`: how many may wait while there is one; the next fails with `too_many_calls`. */
  readonly limits: { readonly callsOut: number }
}

type Wish = SubscriptionMessage['type']

/** A caller that waits for its wish to come true. */
interface Waiter {
  readonly wish: Wish
  resolve(): void
  reject(error: RpcError): void
}

interface Subscription {
  readonly channel: string
  state: SubscriptionState
  /** The last wish, of the socket's owner or of the server. */
  wanted: boolean
  /** The request under way: one at a time, so that answers can't overtake each other. */
  request?: string | undefined
  /** The server subscribed us by itself while our own request was under way. */
  granted?: boolean
  /** Its time-out. */
  expire?: () => void
  /** Where this socket is, on a channel that keeps its publications. */
  position?: Position | undefined
  /** What proves that the server gave us a position here. */
  proof?: string | undefined
  /** The server was told where we are, and will bring all that came since: what comes before that is brought again. */
  recovering?: boolean
  isGettingToken?: boolean
  /** Asks again for what the server could not do. */
  retry(): void
  waiters: readonly Waiter[]
}

/**
 * The channels that this socket wants, and what the server says about each.
 *
 * The last wish wins: while a request is under way, further wishes for its channel wait for the answer, and only the
 * last of them is sent. A wish that another overtook fails with `aborted`. Wishes have no time-out while there is no
 * link; once sent they have.
 */
export class Subscriptions {
  readonly #subscriptions = new Map<string, Subscription>()
  /** What is asked for now, by the request's id. */
  readonly #requests = new Map<string, Subscription>()
  readonly #restoring = new Set<string>()
  readonly #timers = new Timers()
  readonly #owner: SubscriptionsOwner
  readonly #limits: SubscriptionsLimits
  #link: 'none' | 'old' | 'new' = 'none'
  #waiting = 0
  #final: RpcError | undefined
  #lastId = 0

  constructor(limits: SubscriptionsLimits, owner: SubscriptionsOwner) {
    this.#limits = limits
    this.#owner = owner
  }

  /** The names of the wanted channels. */
  get channels(): string[] {
    return [...this.#subscriptions.keys()].filter((channel) => this.has(channel))
  }

  /** Whether a channel is wanted, so that its messages may be shown. */
  has(channel: string): boolean {
    return this.#subscriptions.get(channel)?.wanted === true
  }

  /**
   * The server has passed a place on a channel: a publication came that is kept, or was for others.
   * @returns whether it is news: not what came before, and not after something that is missing and is asked for now
   */
  passed(channel: string, { epoch, offset }: Position): boolean {
    const subscription = this.#subscriptions.get(channel)
    if (!subscription || subscription.recovering) return false
    const at = subscription.position
    const isNext = at?.epoch !== epoch || offset === at.offset + 1
    if (isNext) subscription.position = { epoch, offset }
    else if (offset > at.offset && subscription.request === undefined) this.#send(subscription, 'subscribe')
    return isNext
  }

  /** Wants a channel. Resolves when the server has subscribed us; at once if it had. */
  subscribe(channel: string): Promise<void> {
    return this.#wish(channel, 'subscribe')
  }

  /** Wants a channel no more. Resolves when the server has unsubscribed us; at once if there is no link. */
  unsubscribe(channel: string): Promise<void> {
    return this.#wish(channel, 'unsubscribe')
  }

  /** A link is ready: asks for every wanted channel again. */
  connected(isOld: boolean): void {
    this.#link = isOld ? 'old' : 'new'
    for (const subscription of [...this.#subscriptions.values()]) {
      this.#advance(subscription)
      // What gets the channel's token may call the server: calls must not wait for it.
      if (subscription.request && !subscription.isGettingToken) this.#restoring.add(subscription.request)
    }
    // The azuqua server may never answer; it does things in order, though.
    if (isOld) this.#restoring.clear()
    if (this.#restoring.size === 0) this.#owner.restored()
  }

  /** The link is gone, and with it every subscription. Wishes stay. */
  disconnected(): void {
    this.#link = 'none'
    this.#restoring.clear()
    for (const id of this.#requests.keys()) this.#take(id)
    for (const subscription of [...this.#subscriptions.values()]) {
      this.#move(subscription, 'lose')
    }
  }

  /** There will be no link any more: forgets every channel and fails every wish, now and later. */
  close(error: RpcError): void {
    this.#final = error
    this.disconnected()
    for (const { waiters, retry } of this.#subscriptions.values()) {
      this.#timers.delete(retry)
      for (const waiter of waiters) waiter.reject(error)
    }
    this.#subscriptions.clear()
  }

  /** The server says that we are subscribed, or no more: to our request, or by its own wish. */
  noticed(notice: SubscriptionNotice): void {
    const subscription = this.#find(notice.channel)
    const isOn = notice.type === 'subscribed'
    if (isOn) this.#entered(subscription, notice)
    const isEcho = subscription.state === (isOn ? 'subscribing' : 'unsubscribing')
    if (subscription.request === undefined) {
      subscription.wanted = isOn
      this.#move(subscription, isOn ? 'grant' : 'revoke')
    } else if (isEcho && this.#link === 'old') {
      this.#end(subscription.request)
    } else {
      subscription.granted = isOn
    }
  }

  #entered(subscription: Subscription, notice: SubscriptionNotice): void {
    const { position, proof, recovered, reason } = notice
    subscription.recovering &&= recovered === undefined
    if (!subscription.recovering) {
      if (position) subscription.proof = proof
      subscription.position = position ?? (reason ? undefined : subscription.position)
    }
    this.#owner.entered(notice, subscription.recovering === true)
  }

  /** An answer came. @returns whether it belongs to a request of these */
  answered(id: string, outcome: Outcome): boolean {
    return this.#end(id, 'error' in outcome ? decodeError(outcome) : undefined)
  }

  #wish(channel: string, wish: Wish): Promise<void> {
    const refused = this.#final ?? this.#overLimit()
    if (refused) return Promise.reject(refused)
    const subscription = this.#find(channel)
    const isNothingToUndo = wish === 'unsubscribe' && subscription.state === 'unsubscribed'
    subscription.wanted = wish === 'subscribe'
    return new Promise((resolve, reject) => {
      subscription.waiters = [...subscription.waiters, { wish, resolve, reject }]
      this.#waiting += 1
      if (isNothingToUndo && this.#link !== 'none') this.#send(subscription, wish)
      else this.#advance(subscription)
    })
  }

  #overLimit(): RpcError | undefined {
    const { queueSize, limits } = this.#limits
    if (this.#link === 'none' && this.#waiting >= queueSize)
      return refusal('queue_full', { field: 'queueSize', limit: queueSize })
    if (this.#waiting >= limits.callsOut)
      return refusal('too_many_calls', { field: 'callsOut', limit: limits.callsOut })
    return undefined
  }

  #find(channel: string): Subscription {
    const found = this.#subscriptions.get(channel)
    if (found) return found
    const retry = () => this.#advance(made)
    const made: Subscription = { channel, state: 'unsubscribed', wanted: false, waiters: [], retry }
    this.#subscriptions.set(channel, made)
    return made
  }

  #move(subscription: Subscription, event: SubscriptionEvent): void {
    enter(subscription, event)
    this.#advance(subscription)
  }

  /** Takes the next step from what the server says to what is wanted. */
  #advance(subscription: Subscription): void {
    if (subscription.request !== undefined) return
    this.#settle(subscription)
    const { channel, state, wanted } = subscription
    if (state === (wanted ? 'subscribed' : 'unsubscribed')) {
      if (!wanted && this.#subscriptions.delete(channel)) this.#owner.left(channel)
    } else if (this.#link !== 'none') {
      this.#send(subscription, wishOf(subscription))
    } else if (state === 'unsubscribed') {
      this.#move(subscription, 'wait')
    } else if (state === 'waiting' && !wanted) {
      this.#move(subscription, 'unsubscribe')
    }
  }

  #send(subscription: Subscription, type: Wish): void {
    const { channel } = subscription
    const id = `s${++this.#lastId}`
    enter(subscription, type)
    subscription.request = id
    subscription.granted = false
    subscription.expire = () => this.#end(id, new RpcError('timeout'), true)
    this.#requests.set(id, subscription)
    this.#timers.set(subscription.expire, this.#limits.callTimeout)
    if (type === 'unsubscribe') return this.#owner.send({ type, id, channel })
    const token = this.#link === 'new' ? this.#owner.token(channel) : undefined
    if (!token) return this.#subscribe(subscription, id)
    subscription.isGettingToken = true
    token.then(
      (token) => this.#requests.has(id) && this.#subscribe(subscription, id, token),
      (error) => this.#end(id, error),
    )
  }

  #subscribe(subscription: Subscription, id: string, token?: string): void {
    const { channel, position: from, proof } = subscription
    subscription.recovering = from !== undefined
    this.#owner.send({
      type: 'subscribe',
      id,
      channel,
      ...(from && { from, proof }),
      ...(token && { token }),
    })
  }

  /** Takes a request back. @returns the subscription that it was for */
  #take(id: string): Subscription | undefined {
    const subscription = this.#requests.get(id)
    if (!subscription?.expire) return undefined
    this.#requests.delete(id)
    this.#timers.delete(subscription.expire)
    subscription.request = undefined
    subscription.recovering = subscription.isGettingToken = false
    return subscription
  }

  /** Ends a request. @returns whether it was under way */
  #end(id: string, error?: RpcError, isLate = false): boolean {
    const subscription = this.#take(id)
    if (!subscription) return false
    if (error) this.#failed(subscription, error, isLate)
    else this.#move(subscription, 'accept')
    if (this.#restoring.delete(id) && this.#restoring.size === 0) this.#owner.restored()
    return true
  }

  /** The server refused, or was late. */
  #failed(subscription: Subscription, error: RpcError, isLate: boolean): void {
    const { channel, granted = false } = subscription
    const about = aboutChannel(error, channel)
    const isSubscribing = subscription.state === 'subscribing'
    const isAsked = ({ wish }: Waiter) => (wish === 'subscribe') === isSubscribing
    const told = this.#takeWaiters(subscription, isAsked)
    for (const waiter of told) waiter.reject(isLate ? about : error)
    if (isSubscribing && !granted && told.length === 0 && PASSING.has(error.code)) {
      enter(subscription, 'refuse')
      this.#timers.set(subscription.retry, RETRY * (0.5 + Math.random()))
      return this.#owner.failed(about)
    }
    // Whoever asked is told and may ask again; what nobody asks about stays wanted unless the server refuses it.
    if (isSubscribing) subscription.wanted &&= isLate ? told.length === 0 : granted
    else if (!isLate) subscription.wanted = true
    enter(subscription, isLate ? 'expire' : 'refuse')
    if (granted && !isLate) enter(subscription, 'grant')
    this.#advance(subscription)
    if (isSubscribing && !isLate) this.#owner.refused(channel, error)
    if (told.length === 0) this.#owner.failed(about)
  }

  /** Resolves the wishes that have come true, and fails those that a later wish has overtaken. */
  #settle(subscription: Subscription): void {
    const done = DONE[subscription.state]
    for (const { resolve } of this.#takeWaiters(subscription, ({ wish }) => wish === done)) resolve()
    const overtaken = this.#takeWaiters(subscription, ({ wish }) => wish !== wishOf(subscription))
    for (const { wish, reject } of overtaken)
      reject(new RpcError('aborted', `A later wish took the place of this ${wish}`))
  }

  #takeWaiters(subscription: Subscription, which: (waiter: Waiter) => boolean): readonly Waiter[] {
    const taken = subscription.waiters.filter(which)
    subscription.waiters = subscription.waiters.filter((waiter) => !which(waiter))
    this.#waiting -= taken.length
    return taken
  }
}

/** What the server refuses with that could do it later. */
const PASSING: ReadonlySet<string> = new Set(['engine_unavailable', 'too_many_calls', 'too_many_messages'])

/** Milliseconds until what it could not do is asked for again, on average. */
const RETRY = 1000

/** The wish that a state fulfils. */
const DONE: { readonly [State in SubscriptionState]?: Wish } = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
}

function wishOf({ wanted }: Subscription): Wish {
  return wanted ? 'subscribe' : 'unsubscribe'
}

/** Events that the table does not list for a state leave it as it is. */
function enter(subscription: Subscription, event: SubscriptionEvent): void {
  subscription.state = SUBSCRIPTION_MOVES[subscription.state][event] ?? subscription.state
}

function aboutChannel(error: RpcError, channel: string): RpcError {
  return new RpcError(error.code, `${error.message}: channel ${channel}`, { channel }, error)
}

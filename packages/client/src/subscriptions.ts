import {
  decodeError,
  encodeError,
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

/** Bounds on wishes. */
export interface SubscriptionsLimits {
  /** Milliseconds that an answer may take. */
  readonly timeout: number
  /** How many wishes may wait while there is no link; the next fails with `queue_full`. */
  readonly waiting: number
  /** How many may wait while there is one; the next fails with `too_many_calls`. */
  readonly calls: number
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
  request: string | undefined
  /** The server subscribed us by itself while our own request was under way. */
  granted: boolean
  /** Where this socket is, on a channel that keeps its publications. */
  position: Position | undefined
  /** The server was told where we are, and will bring all that came since: what comes before that is brought again. */
  recovering: boolean
  isGettingToken: boolean
  waiters: Waiter[]
}

/** A request under way. */
interface Request {
  readonly subscription: Subscription
  /** Its time-out. */
  expire(): void
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
  readonly #requests = new Map<string, Request>()
  readonly #restoring = new Set<string>()
  readonly #timers = new Timers()
  readonly #owner: SubscriptionsOwner
  readonly #limits: SubscriptionsLimits
  #link: 'none' | 'old' | 'new' = 'none'
  #waiting = 0
  #lastId = 0

  constructor(limits: SubscriptionsLimits, owner: SubscriptionsOwner) {
    this.#limits = limits
    this.#owner = owner
  }

  /** The names of the wanted channels. */
  get channels(): string[] {
    return [...this.#subscriptions.values()].filter(({ wanted }) => wanted).map(({ channel }) => channel)
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

  /** There will be no link any more: forgets every channel and fails every wish. */
  close(error: RpcError): void {
    this.disconnected()
    for (const { waiters } of this.#subscriptions.values()) for (const waiter of waiters) waiter.reject(error)
    this.#subscriptions.clear()
  }

  /** The server says that we are subscribed, or no more: to our request, or by its own wish. */
  noticed(notice: SubscriptionNotice): void {
    const subscription = this.#find(notice.channel)
    const wish = notice.type === 'subscribed' ? 'subscribe' : 'unsubscribe'
    if (wish === 'subscribe') this.#entered(subscription, notice)
    const isEcho = SUBSCRIPTION_MOVES.unsubscribed[wish] === subscription.state
    if (subscription.request === undefined) {
      subscription.wanted = wish === 'subscribe'
      this.#move(subscription, wish === 'subscribe' ? 'grant' : 'revoke')
    } else if (isEcho && this.#link === 'old') {
      this.answered(subscription.request, { data: null })
    } else {
      subscription.granted = wish === 'subscribe'
    }
  }

  #entered(subscription: Subscription, notice: SubscriptionNotice): void {
    const { position, recovered, reason } = notice
    subscription.recovering &&= recovered === undefined
    if (!subscription.recovering) {
      subscription.position = position ?? (reason ? undefined : subscription.position)
    }
    this.#owner.entered(notice, subscription.recovering)
  }

  /** An answer came. @returns whether it belongs to a request of these */
  answered(id: string, outcome: Outcome): boolean {
    const subscription = this.#take(id)
    if (!subscription) return false
    if ('error' in outcome) this.#refused(subscription, decodeError(outcome))
    else this.#move(subscription, 'accept')
    this.#restored(id)
    return true
  }

  #wish(channel: string, wish: Wish): Promise<void> {
    const refused = this.#overLimit()
    if (refused) return Promise.reject(refused)
    const subscription = this.#find(channel)
    const isNothingToUndo = wish === 'unsubscribe' && subscription.state === 'unsubscribed'
    subscription.wanted = wish === 'subscribe'
    return new Promise((resolve, reject) => {
      subscription.waiters.push({ wish, resolve, reject })
      this.#waiting += 1
      if (isNothingToUndo && this.#link !== 'none') this.#send(subscription, wish)
      else this.#advance(subscription)
    })
  }

  #overLimit(): RpcError | undefined {
    const { waiting, calls } = this.#limits
    if (this.#link === 'none' && this.#waiting >= waiting)
      return new RpcError('queue_full', undefined, { field: 'queueSize', limit: waiting })
    if (this.#waiting >= calls) return refusal('too_many_calls', { field: 'callsOut', limit: calls })
    return undefined
  }

  #find(channel: string): Subscription {
    const found = this.#subscriptions.get(channel)
    if (found) return found
    const made: Subscription = {
      channel,
      state: 'unsubscribed',
      wanted: false,
      request: undefined,
      granted: false,
      position: undefined,
      recovering: false,
      isGettingToken: false,
      waiters: [],
    }
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
      this.#send(subscription, wanted ? 'subscribe' : 'unsubscribe')
    } else if (state === 'unsubscribed') {
      this.#move(subscription, 'wait')
    } else if (state === 'waiting' && !wanted) {
      this.#move(subscription, 'unsubscribe')
    }
  }

  #send(subscription: Subscription, type: Wish): void {
    const id = `s${++this.#lastId}`
    enter(subscription, type)
    subscription.request = id
    subscription.granted = false
    const expire = () => this.#expire(id)
    this.#requests.set(id, { subscription, expire })
    this.#timers.set(expire, this.#limits.timeout)
    const { channel } = subscription
    if (type === 'unsubscribe') return this.#owner.send({ type, id, channel })
    const token = this.#link === 'new' ? this.#owner.token(channel) : undefined
    if (!token) return this.#subscribe(subscription, id)
    subscription.isGettingToken = true
    token.then(
      (token) => this.#requests.has(id) && this.#subscribe(subscription, id, token),
      (error) => this.answered(id, encodeError(error)),
    )
  }

  #subscribe(subscription: Subscription, id: string, token?: string): void {
    const { channel, position: from } = subscription
    subscription.recovering = from !== undefined
    this.#owner.send({ type: 'subscribe', id, channel, ...(from && { from }), ...(token && { token }) })
  }

  /** Ends a request. @returns the subscription that it was for */
  #take(id: string): Subscription | undefined {
    const request = this.#requests.get(id)
    if (!request) return undefined
    this.#requests.delete(id)
    this.#timers.delete(request.expire)
    request.subscription.request = undefined
    request.subscription.recovering = request.subscription.isGettingToken = false
    return request.subscription
  }

  #refused(subscription: Subscription, error: RpcError): void {
    const isSubscribing = subscription.state === 'subscribing'
    const isTold = this.#rejectAll(subscription, isSubscribing ? 'subscribe' : 'unsubscribe', error)
    subscription.wanted = isSubscribing ? subscription.wanted && subscription.granted : true
    enter(subscription, 'refuse')
    if (subscription.granted) enter(subscription, 'grant')
    this.#advance(subscription)
    if (isSubscribing) this.#owner.refused(subscription.channel, error)
    if (!isTold) this.#owner.failed(aboutChannel(error, subscription.channel))
  }

  #expire(id: string): void {
    const subscription = this.#take(id)
    if (!subscription) return
    const error = aboutChannel(new RpcError('timeout'), subscription.channel)
    const isSubscribing = subscription.state === 'subscribing'
    const isTold = this.#rejectAll(subscription, isSubscribing ? 'subscribe' : 'unsubscribe', error)
    // Whoever asked is told and may ask again; what nobody asks about stays wanted.
    if (isTold) subscription.wanted &&= !isSubscribing
    else this.#owner.failed(error)
    this.#move(subscription, 'expire')
    this.#restored(id)
  }

  #restored(id: string): void {
    if (this.#restoring.delete(id) && this.#restoring.size === 0) this.#owner.restored()
  }

  /** Resolves the wishes that have come true, and fails those that a later wish has overtaken. */
  #settle(subscription: Subscription): void {
    const { state, wanted, waiters } = subscription
    const done = DONE[state]
    const wish = wanted ? 'subscribe' : 'unsubscribe'
    subscription.waiters = waiters.filter((waiter) => waiter.wish !== done && waiter.wish === wish)
    this.#waiting -= waiters.length - subscription.waiters.length
    for (const waiter of waiters) {
      if (waiter.wish === done) waiter.resolve()
      else if (waiter.wish !== wish)
        waiter.reject(new RpcError('aborted', `A later wish took the place of this ${waiter.wish}`))
    }
  }

  /** @returns whether there was anybody to reject */
  #rejectAll(subscription: Subscription, wish: Wish, error: RpcError): boolean {
    const rejected = subscription.waiters.filter((waiter) => waiter.wish === wish)
    subscription.waiters = subscription.waiters.filter((waiter) => waiter.wish !== wish)
    this.#waiting -= rejected.length
    for (const waiter of rejected) waiter.reject(error)
    return rejected.length > 0
  }
}

/** The wish that a state fulfils. */
const DONE: { readonly [State in SubscriptionState]?: Wish } = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
}

/** Events that the table does not list for a state leave it as it is. */
function enter(subscription: Subscription, event: SubscriptionEvent): void {
  subscription.state = SUBSCRIPTION_MOVES[subscription.state][event] ?? subscription.state
}

function aboutChannel(error: RpcError, channel: string): RpcError {
  return new RpcError(error.code, `${error.message}: channel ${channel}`, { channel }, error)
}

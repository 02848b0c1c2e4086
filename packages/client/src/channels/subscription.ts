import {
  type Position,
  REPEATABLE,
  RETRY_DELAY,
  RpcError,
  type SubscriptionMessage,
  type SubscriptionNotice,
} from '@token-socket/protocol'
import type { ClientTimeouts } from '../runtime/client-timeouts.js'
import { OVERTAKEN, REVOKED } from '../runtime/reason-texts.js'
import { SUBSCRIPTION_MOVES, type SubscriptionEvent, type SubscriptionState } from '../settings/states.js'
import type { LeaveReason } from './channel.js'

/** What a caller, or the subscription itself, asks the server for. */
export type RequestType = SubscriptionMessage['type']

/** What the application learns about its subscriptions. */
export interface SubscriptionEvents {
  /** A request failed and no caller waits for it. */
  failed(error: RpcError): void
  /**
   * The server says that this socket is on a channel, and what it is like there.
   * @param isEarly whether the answer to where the socket was is still to come
   */
  entered(notice: SubscriptionNotice, isEarly: boolean): void
  /**
   * The socket is not on the channel.
   * @param by whose wish it was; `undefined` if the channel is not desired either, so that it is forgotten
   */
  left(channel: string, by?: LeaveReason): void
  /** The server refused to subscribe this socket, or took it off the channel meanwhile. @returns whether a listener heard */
  refused(channel: string, error: RpcError): boolean
  /** Whether a handler is bound to the channel: then it is desired whatever happens to a call of `subscribe`. */
  isBound(channel: string): boolean
  /** The token to subscribe with, where the channel has one of its own. */
  token(channel: string): Promise<string> | undefined
  /** Sends a request on the link that is ready. */
  send(message: SubscriptionMessage): void
}

/** Dependencies of a {@link Subscription}. */
export interface SubscriptionOwner {
  readonly events: SubscriptionEvents
  readonly timers: ClientTimeouts
  /** Milliseconds that an answer may take. */
  readonly callTimeout: number
  link: 'none' | 'legacy' | 'current'
  /** How many callers wait, for all channels. */
  callersWaiting: number
  /** Gives a request its id, by which its answer comes back. */
  begin(subscription: Subscription): string
  /** A request needs no answer any longer. */
  take(id: string): void
  /** What a request led to has been done. */
  end(id: string): void
  /** The subscription is neither desired nor held by the server. */
  forget(subscription: Subscription): void
}

/** A caller of `subscribe` or `unsubscribe` that waits. */
interface PendingCaller {
  readonly type: RequestType
  resolve(): void
  reject(error: RpcError): void
}

/** One request, on one link. */
export interface SubscriptionRequest {
  /** Empty until it is sent, which is when its channel's token is there. */
  id: string
  readonly type: RequestType
  /** The server has said since that this socket is on the channel. */
  isConfirmed: boolean
  /** Ends it when its time is over. */
  readonly timedOut: () => void
}

/**
 * Refusals, by code and field, of what other sockets or the application's back end may change: `refused` reports them, and the
 * subscription is tried again. A limit on all sockets of a user has a name that says so.
 */
const PASSING_SUBSCRIPTIONS = /token_failed|too_many_members|PerUser/

/** The type of the callers whom a state satisfies. */
const DONE: { readonly [State in SubscriptionState]?: RequestType } = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
}

/**
 * One channel of a socket: whether it is desired, and what the server says of it. It lives until the channel is neither
 * desired nor held by the server.
 *
 * Its state follows the server's notices. One request is under way at a time; when it ends, and the state is not the
 * desired one, another follows. So both ends agree at rest.
 */
export class Subscription {
  readonly channel: string
  state: SubscriptionState = 'unsubscribed'
  /** By the application, or by the server. */
  isDesired = false
  /** By a call of `subscribe`, and not only by a binding or the server. */
  isCalled = false
  /** The request under way. */
  request: SubscriptionRequest | undefined
  /** Where this socket is, on a channel that keeps its publications. */
  #position: Position | undefined
  /** The server's word for it, where it wants one. */
  #proof: string | undefined
  /** Publications are missing, and the server is asked for them: what comes before the answer comes again. */
  #isBehind = false
  #callers: readonly PendingCaller[] = []
  #failures = 0
  /** How many requests were not answered in time on this link. The server may still do them. */
  #late = 0
  /** Waits for the time to ask again. */
  #isPaused = false
  readonly #owner: SubscriptionOwner

  constructor(channel: string, owner: SubscriptionOwner) {
    this.channel = channel
    this.#owner = owner
  }

  /** A caller wants it, or wants it no longer. Resolves when the server's word agrees. */
  call(type: RequestType): Promise<void> {
    const isSubscribe = type === 'subscribe'
    if (isSubscribe && this.isDesired && this.state === 'subscribed' && this.#callers.length === 0)
      return Promise.resolve()
    // The server may know better: an earlier request may have been taken without an answer.
    const isNothingToUndo = !isSubscribe && this.state === 'unsubscribed' && !this.request
    this.#resume()
    this.isDesired = isSubscribe
    return new Promise((resolve, reject) => {
      this.#callers = [...this.#callers, { type, resolve, reject }]
      this.#owner.callersWaiting += 1
      if (isNothingToUndo && this.#owner.link !== 'none') this.#send(type)
      else this.reconcile()
    })
  }

  /** It is desired, or not, without a caller. */
  desire(isDesired: boolean): void {
    this.#resume()
    this.isDesired = isDesired
    this.reconcile()
  }

  /** The server subscribed or unsubscribed this socket: at its request, or on its own. */
  noticed(notice: SubscriptionNotice): void {
    const { request, state: before, isDesired: wasDesired } = this
    const { events, link } = this.#owner
    const isOn = notice.type === 'subscribed'
    const isAnswer = request?.type === typeOf(isOn)
    // A late request of this socket may be what the server does.
    const isAlone = !request && (this.#late === 0 || !!notice.isRevoked)
    this.#move(isOn ? 'grant' : 'revoke')
    if (isAnswer) request.isConfirmed = true
    if (isAlone && (wasDesired || !this.#isPaused)) {
      this.#resume()
      this.isDesired = isOn
      this.isCalled &&= isOn
    }
    if (isOn) this.#enter(notice)
    else events.left(this.channel, isAnswer ? 'client' : notice.isRevoked ? 'revoked' : 'server')
    if (isAnswer && link === 'legacy' && this.request === request) this.end(request)
    else if (isAlone && !isOn && wasDesired && before !== 'subscribed') this.#tell(revoked())
    this.reconcile()
  }

  /**
   * The server has come to a position on the channel: a publication came that is kept, or was for others.
   * @returns whether it is new: neither what came before, nor what the server is asked to bring again
   */
  passed({ epoch, offset }: Position): boolean {
    if (this.#isBehind) return false
    const at = this.#position
    const isNext = at?.epoch !== epoch || offset === at.offset + 1
    if (isNext) this.#position = { epoch, offset }
    else if (offset > at.offset) {
      this.#isBehind = true
      this.reconcile()
    }
    return isNext
  }

  /** Takes the next step from the server's word to what is desired. */
  reconcile(): void {
    if (this.request) return
    this.#settle()
    const desired = typeOf(this.isDesired)
    const isReached = DONE[this.state] === desired
    if (isReached && !this.isDesired) {
      this.#resume()
      if (this.#late === 0) this.#owner.forget(this)
    } else if (this.#owner.link !== 'none' && !this.#isPaused && (!isReached || this.#isBehind))
      this.#send(desired)
  }

  /** The link is lost, and with it the subscription and the request. What is desired stays. */
  lose(): void {
    if (this.request) this.#take(this.request)
    this.#resume()
    this.#isBehind = false
    this.#late = 0
    this.state = 'unsubscribed'
    this.reconcile()
  }

  /** There will be no link any more. */
  close(error: RpcError): void {
    this.#resume()
    for (const { reject } of this.#takeCallers(() => true)) reject(error)
  }

  /** A request was answered: the one under way, or a late one. */
  answered(id: string, error: RpcError | undefined): void {
    if (this.request?.id === id) return this.end(this.request, error)
    this.#late -= 1
    this.reconcile()
  }

  /** A request was answered, or was not in time. */
  end(request: SubscriptionRequest, error?: RpcError, isLate = false): void {
    this.#take(request)
    const { id } = request
    // The legacy server may never answer.
    if (isLate && id && this.#owner.link === 'current') this.#late += 1
    else this.#owner.take(id)
    const isSubscribe = request.type === 'subscribe'
    if (!error) this.#move('accept')
    else if (error.code !== 'timeout') this.#move('refuse')
    else if (isSubscribe) this.#move('expire')
    const isOn = this.state === 'subscribed'
    const isDone = request.isConfirmed && DONE[this.state] === request.type
    if (error && !(isLate && isDone)) this.#failed(request, error, isLate)
    else if (isSubscribe && !isOn) this.#failed(request, revoked(), false)
    else this.#succeeded(request)
    this.reconcile()
    this.#owner.end(id)
  }

  #enter(notice: SubscriptionNotice): void {
    const { position, proof, recovered, reason } = notice
    const at = this.#position
    if (recovered !== undefined) this.#isBehind = false
    if (!this.#isBehind) {
      // What came before comes again, or a proof comes late: the position does not go back.
      const isBack = at && position?.epoch === at.epoch && position.offset < at.offset
      if (!isBack || recovered === false) this.#position = position ?? (reason ? undefined : at)
      if (position) this.#proof = proof
    }
    this.#owner.events.entered(notice, this.#isBehind)
  }

  #succeeded({ type, isConfirmed }: SubscriptionRequest): void {
    if (type === 'unsubscribe') this.#position = undefined
    else if (!isConfirmed) this.#isBehind = false
    // The server has not said whether it brings what is missing.
    if (this.#isBehind) this.#pause()
    else this.#failures = 0
  }

  #failed({ type, isConfirmed }: SubscriptionRequest, error: RpcError, isLate: boolean): void {
    const callers = this.#takeCallers((caller) => caller.type === type)
    for (const { reject } of callers) reject(isLate ? this.#about(error) : error)
    const isTold = callers.length > 0
    const isSubscribe = type === 'subscribe'
    const isOver = isSubscribe
      ? this.#subscribeFailed(error, isTold, isConfirmed)
      : this.#unsubscribeFailed(error, isTold)
    if (isLate) this.#failures += 1
    else if (!isOver && this.isDesired === isSubscribe) this.#pause()
    const isRefused = isSubscribe && (isOver ? error.code !== 'timeout' : !REPEATABLE.test(error.code))
    this.#tell(error, isRefused, isTold)
  }

  #tell(error: RpcError, isRefused = true, isTold = false): void {
    const { events } = this.#owner
    const isHeard = isRefused && events.refused(this.channel, error)
    if (!isTold && !isHeard) events.failed(this.#about(error))
  }

  /** A caller that receives the error may ask again. Without such a caller the channel stays desired, unless the server refuses it. */
  #subscribeFailed({ code, data }: RpcError, isTold: boolean, isConfirmed: boolean): boolean {
    if (isTold) this.isCalled = false
    const isKept = !isTold || this.#owner.events.isBound(this.channel)
    const isOver =
      !isKept || !(REPEATABLE.test(code) || PASSING_SUBSCRIPTIONS.test(code + Object(data).field))
    // The server may have subscribed this socket on its own meanwhile.
    if (isOver) this.isDesired &&= isConfirmed && this.state === 'subscribed'
    return isOver
  }

  /** The server keeps this socket on the channel, unless it only could not do it now. */
  #unsubscribeFailed({ code }: RpcError, isTold: boolean): boolean {
    const isOver = code !== 'timeout' && (isTold || !REPEATABLE.test(code))
    if (isOver && this.state === 'subscribed') {
      this.isDesired = true
      // What is missing cannot be had: it goes on from the next publication.
      if (this.#isBehind)
        this.#enter({ type: 'subscribed', channel: this.channel, recovered: false, reason: 'forbidden' })
    }
    return isOver
  }

  #about(error: RpcError): RpcError {
    const { channel } = this
    return new RpcError(error.code, `${error.message}: channel ${channel}`, { channel }, error)
  }

  #move(event: SubscriptionEvent): void {
    // Events that the table does not list for a state leave it as it is.
    this.state = SUBSCRIPTION_MOVES[this.state][event] ?? this.state
  }

  #send(type: RequestType): void {
    const { timers, callTimeout, events, link } = this.#owner
    const timedOut = () => this.end(request, new RpcError('timeout'), true)
    const request: SubscriptionRequest = { id: '', type, isConfirmed: false, timedOut }
    this.#move(type)
    this.request = request
    // Where answers take longer than that, the next request gets more time.
    timers.set(timedOut, callTimeout * this.#backoff)
    if (type === 'unsubscribe') return this.#ask(request)
    const token = link === 'current' ? events.token(this.channel) : undefined
    if (!token) return this.#subscribe(request)
    token.then(
      (token) => this.request === request && this.#subscribe(request, token),
      (error) => this.request === request && this.end(request, error),
    )
  }

  #subscribe(request: SubscriptionRequest, token?: string): void {
    const from = this.#position
    this.#isBehind = from !== undefined
    this.#ask(request, { from, proof: from && this.#proof, token })
  }

  #ask(request: SubscriptionRequest, how?: Pick<SubscriptionMessage, 'from' | 'proof' | 'token'>): void {
    const { type } = request
    const id = this.#owner.begin(this)
    request.id = id
    this.#owner.events.send({ type, id, channel: this.channel, ...how })
  }

  /** It is not under way any longer. */
  #take({ timedOut }: SubscriptionRequest): void {
    this.request = undefined
    this.#owner.timers.delete(timedOut)
  }

  readonly #retry = () => {
    this.#isPaused = false
    this.reconcile()
  }

  get #backoff(): number {
    return 2 ** Math.min(this.#failures, 4)
  }

  #pause(): void {
    this.#isPaused = true
    this.#owner.timers.set(this.#retry, RETRY_DELAY * this.#backoff * (0.5 + Math.random()))
    this.#failures += 1
  }

  #resume(): void {
    this.#isPaused = false
    this.#failures = 0
    this.#owner.timers.delete(this.#retry)
  }

  /** Resolves the callers that have what they want, and fails those that a later one has overtaken. */
  #settle(): void {
    const done = DONE[this.state]
    for (const { resolve } of this.#takeCallers(({ type }) => type === done)) resolve()
    const desired = typeOf(this.isDesired)
    for (const { reject } of this.#takeCallers(({ type }) => type !== desired))
      reject(new RpcError('aborted', OVERTAKEN))
  }

  #takeCallers(isMeant: (caller: PendingCaller) => boolean): readonly PendingCaller[] {
    const taken = this.#callers.filter(isMeant)
    this.#callers = this.#callers.filter((caller) => !isMeant(caller))
    this.#owner.callersWaiting -= taken.length
    return taken
  }
}

function typeOf(isOn: boolean): RequestType {
  return isOn ? 'subscribe' : 'unsubscribe'
}

function revoked(): RpcError {
  return new RpcError('aborted', REVOKED)
}

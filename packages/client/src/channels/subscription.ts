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

/** Makes a request to the server. */
export type RequestType = SubscriptionMessage['type']

/** Receives what happens to subscriptions. */
export interface SubscriptionEvents {
  /** A request failed whose caller does not wait. */
  failed(error: RpcError): void
  /**
   * The server has subscribed this socket. The notice has the members and the position.
   * @param isEarly whether the answer to the recovery request has not arrived yet
   */
  entered(notice: SubscriptionNotice, isEarly: boolean): void
  /**
   * This socket has left the channel.
   * @param by why; `undefined` if the channel is not desired either, so that it is forgotten
   */
  left(channel: string, by?: LeaveReason): void
  /** The server refused to subscribe this socket. @returns whether a listener received it */
  refused(channel: string, error: RpcError): boolean
  /** Whether a handler is bound to the channel, which makes it desired. */
  isBound(channel: string): boolean
  /** Returns the token to subscribe with, if the channel has one of its own. */
  token(channel: string): Promise<string> | undefined
  /** Sends a request on the ready connection. */
  send(message: SubscriptionMessage): void
}

/** Dependencies of a {@link Subscription}. */
export interface SubscriptionOwner {
  readonly events: SubscriptionEvents
  readonly timers: ClientTimeouts
  /** Milliseconds until a request times out. */
  readonly callTimeout: number
  link: 'none' | 'legacy' | 'current'
  /** The number of callers that wait, over all channels. */
  callersWaiting: number
  /** Registers a request, and returns the id by which its answer is found. */
  begin(subscription: Subscription): string
  /** Forgets a request: its answer is ignored. */
  take(id: string): void
  /** A request has ended, and its effects are complete. */
  end(id: string): void
  /** The subscription is neither desired nor active on the server: it may be forgotten. */
  forget(subscription: Subscription): void
}

/** A waiting caller of `subscribe` or `unsubscribe`. */
interface PendingCaller {
  readonly type: RequestType
  resolve(): void
  reject(error: RpcError): void
}

/** One request, on one connection. */
export interface SubscriptionRequest {
  /** Empty until it is sent, which may wait for the channel's token. */
  id: string
  readonly type: RequestType
  /** Whether the server has subscribed this socket since the request was sent. */
  isConfirmed: boolean
  /** Stops its time-out. */
  readonly timedOut: () => void
}

/**
 * Refusals, by code and field, whose cause may change: limits that other sockets of the user count
 * for as well, and the application's back end. `refused` reports them, and the subscription is
 * retried.
 */
const PASSING_SUBSCRIPTIONS = /token_failed|too_many_members|PerUser/

/** The type of request whose callers a state satisfies. */
const DONE: { readonly [State in SubscriptionState]?: RequestType } = {
  subscribed: 'subscribe',
  unsubscribed: 'unsubscribe',
}

/**
 * One channel of a socket: whether it is desired, and whether the server has subscribed this
 * socket. It exists until neither is true.
 *
 * Its state follows the server's notices. Only one request runs at a time. When it ends, and the
 * state is not the desired one, another request follows. So both ends agree in the end.
 */
export class Subscription {
  readonly channel: string
  state: SubscriptionState = 'unsubscribed'
  /** Whether the application or the server desires the channel. */
  isDesired = false
  /** Whether a call of `subscribe` desires it, and not only a handler or the server. */
  isCalled = false
  /** The running request. */
  request: SubscriptionRequest | undefined
  /** The position of this socket, on a channel that keeps history. */
  #position: Position | undefined
  /** The server's proof of the position, if it requires one. */
  #proof: string | undefined
  /** Whether missing publications were requested: those before the answer arrive again. */
  #isBehind = false
  #callers: readonly PendingCaller[] = []
  #failures = 0
  /** How many requests on this connection timed out. The server may still carry them out. */
  #late = 0
  /** The timer of the next retry. */
  #isPaused = false
  readonly #owner: SubscriptionOwner

  constructor(channel: string, owner: SubscriptionOwner) {
    this.channel = channel
    this.#owner = owner
  }

  /** A caller desires the channel, or no longer. Resolves when the server's state agrees. */
  call(type: RequestType): Promise<void> {
    const isSubscribe = type === 'subscribe'
    if (isSubscribe && this.isDesired && this.state === 'subscribed' && this.#callers.length === 0)
      return Promise.resolve()
    // The server's state may differ: an earlier request may have been carried out without an
    // answer.
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

  /** Changes whether the channel is desired, without a caller. */
  desire(isDesired: boolean): void {
    this.#resume()
    this.isDesired = isDesired
    this.reconcile()
  }

  /** The server subscribed or unsubscribed this socket, by request or on its own. */
  noticed(notice: SubscriptionNotice): void {
    const { request, state: before, isDesired: wasDesired } = this
    const { events, link } = this.#owner
    const isOn = notice.type === 'subscribed'
    const isAnswer = request?.type === typeOf(isOn)
    // The cause may be a request of this socket that timed out.
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
   * The server has reached a position, by a publication for this socket or for others.
   * @returns whether it is new: not delivered before, and not part of a requested recovery
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

  /** Sends the next request, if the server's state is not the desired one. */
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

  /** The connection is lost, and with it subscription and request. The channel stays desired. */
  lose(): void {
    if (this.request) this.#take(this.request)
    this.#resume()
    this.#isBehind = false
    this.#late = 0
    this.state = 'unsubscribed'
    this.reconcile()
  }

  /** The socket has ended: there will be no connection. */
  close(error: RpcError): void {
    this.#resume()
    for (const { reject } of this.#takeCallers(() => true)) reject(error)
  }

  /** A request was answered: the running one, or one that timed out. */
  answered(id: string, error: RpcError | undefined): void {
    if (this.request?.id === id) return this.end(this.request, error)
    this.#late -= 1
    this.reconcile()
  }

  /** A request was answered, or has timed out. */
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
      // Publications arrive again, or a proof arrives late: the position does not go back.
      const isBack = at && position?.epoch === at.epoch && position.offset < at.offset
      if (!isBack || recovered === false) this.#position = position ?? (reason ? undefined : at)
      if (position) this.#proof = proof
    }
    this.#owner.events.entered(notice, this.#isBehind)
  }

  #succeeded({ type, isConfirmed }: SubscriptionRequest): void {
    if (type === 'unsubscribe') this.#position = undefined
    else if (!isConfirmed) this.#isBehind = false
    // The server has not confirmed that the missing publications follow.
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

  /** Without a caller that receives the error, the channel stays desired unless it is refused. */
  #subscribeFailed({ code, data }: RpcError, isTold: boolean, isConfirmed: boolean): boolean {
    if (isTold) this.isCalled = false
    const isKept = !isTold || this.#owner.events.isBound(this.channel)
    const isOver =
      !isKept || !(REPEATABLE.test(code) || PASSING_SUBSCRIPTIONS.test(code + Object(data).field))
    // The server may have subscribed this socket on its own meanwhile.
    if (isOver) this.isDesired &&= isConfirmed && this.state === 'subscribed'
    return isOver
  }

  /** The socket stays subscribed, unless the server failed only for the moment. */
  #unsubscribeFailed({ code }: RpcError, isTold: boolean): boolean {
    const isOver = code !== 'timeout' && (isTold || !REPEATABLE.test(code))
    if (isOver && this.state === 'subscribed') {
      this.isDesired = true
      // The missing publications are lost: it continues with the next publication.
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
    // An event that the table does not list for a state does not change it.
    this.state = SUBSCRIPTION_MOVES[this.state][event] ?? this.state
  }

  #send(type: RequestType): void {
    const { timers, callTimeout, events, link } = this.#owner
    const timedOut = () => this.end(request, new RpcError('timeout'), true)
    const request: SubscriptionRequest = { id: '', type, isConfirmed: false, timedOut }
    this.#move(type)
    this.request = request
    // If answers take longer than that, the next request gets more time.
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

  /** The request has ended. */
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

  /** Resolves the callers that have what they requested, and fails those that were replaced. */
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

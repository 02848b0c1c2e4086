import {
  encodeData,
  type HistoryMessage,
  limitError,
  type PublishMessage,
  RpcError,
  type SubscriptionMessage,
} from '@token-socket/protocol'
import type { Authorization } from '../claims/authorization.js'
import type { Draft, Receipt } from '../engine/engine.js'
import { TurnThrottle } from '../runtime/turn-throttle.js'
import type { AddedGrants } from '../socket/added-grants.js'
import type { ChannelAnswer, ChannelRequest, PendingRequest, ServerSocket } from '../socket/server-socket.js'
import { type ChannelAccess, claimedPosition, type SubscriptionTerms } from './access.js'
import type { Broadcasts } from './broadcasts.js'
import { ChannelRate } from './channel-rate.js'
import type { ChannelRequestsOwner, RequestMiddleware } from './channel-requests-owner.js'
import { HistoryAnswers } from './history-answers.js'
import { clientKey } from './idempotency-keys.js'
import { NewChannels } from './new-channels.js'
import type { PendingSubscription, PendingSubscriptions } from './pending-subscriptions.js'
import { PublicationsInFlight } from './publications-in-flight.js'
import { RuleRates } from './rule-rates.js'

/** A request to subscribe. */
type SubscribeRequest = SubscriptionMessage & Pick<PendingRequest, 'isAnswered'>

/** A request to subscribe that is not decided yet. */
interface WaitingSubscription {
  readonly socket: ServerSocket
  readonly request: SubscriptionMessage
  readonly pending: PendingSubscription
}

/** The channels, as {@link ChannelRequests} uses them. */
export interface RequestedChannels {
  readonly access: ChannelAccess
  readonly broadcasts: Broadcasts
  readonly pending: PendingSubscriptions
  has(socket: ServerSocket, channel: string): boolean
  subscribe(socket: ServerSocket, channel: string, terms?: SubscriptionTerms): Promise<void>
  unsubscribe(socket: ServerSocket, channel: string): void
  /** Checks the subscriptions of a socket again. It never rejects. */
  judge(socket: ServerSocket, before: Authorization): Promise<void>
}

/** The state of a request while it is decided and carried out. */
interface Work {
  /** The version of the authorization by which it is decided. */
  version: number
  /** Whether the socket was on the channel at that moment. */
  wasOn: boolean
  /** The data of a publication. */
  json: string | undefined
}

/** A request was not carried out, because the authorization has changed. */
const CHANGED = Symbol('changed')

/** Milliseconds, fewer than another node waits for the answer. */
const LANDING = 4000

const STALE = 'The authorization changed meanwhile'

function hasChanged(socket: ServerSocket, { version }: Work): boolean {
  return socket.authorization.version !== version
}

/** Whether a socket has lost the channel meanwhile, so that it may not read as a subscriber. */
function hasLost(socket: ServerSocket, { channel }: HistoryMessage, { wasOn }: Work): boolean {
  return wasOn && !socket.isOn(channel)
}

/** Decides about clients' requests on channels, and carries them out. */
export class ChannelRequests {
  readonly #owner: ChannelRequestsOwner
  readonly #channels: RequestedChannels
  readonly #histories: HistoryAnswers
  readonly #newChannels: NewChannels
  readonly #ruleRates: RuleRates
  readonly #rates: Readonly<Record<'publications' | 'bytes' | 'broadcasts', ChannelRate>>
  readonly #flights = new PublicationsInFlight()
  /** Queues requests to subscribe when many come at once. */
  readonly #throttle = new TurnThrottle()

  constructor(owner: ChannelRequestsOwner, channels: RequestedChannels) {
    this.#owner = owner
    this.#channels = channels
    this.#newChannels = new NewChannels(owner)
    this.#histories = new HistoryAnswers({ ...owner, access: channels.access })
    this.#ruleRates = new RuleRates(owner.policy)
    this.#rates = {
      publications: new ChannelRate('publicationRate', owner.limits.publicationRate),
      bytes: new ChannelRate('publicationBytes', owner.limits.publicationBytes),
      broadcasts: new ChannelRate('broadcastRate', owner.limits.broadcastRate),
    }
  }

  /**
   * Waits for the socket's own publications, at most for `vetoTimeout`. @returns nothing if there
   * is none
   */
  published(socket: ServerSocket): Promise<unknown> | undefined {
    return this.#flights.landed(socket, this.#owner.limits.vetoTimeout)
  }

  /** Waits for publications of sockets, also of closed ones: at most 4 s. */
  publishedWhere(matches: (socket: ServerSocket) => boolean): Promise<void> {
    return this.#flights.landedWhere(matches, Math.min(this.#owner.limits.vetoTimeout ?? LANDING, LANDING))
  }

  /** Carries out a client's request, if {@link ChannelAccess} allows it. */
  answer(socket: ServerSocket, request: PendingRequest): Promise<ChannelAnswer> {
    if (request.type === 'subscribe') return this.#requestSubscription(socket, request)
    const { middleware } = this.#owner
    if (!isAwaited(socket, request) || !middleware) return this.#do(socket, request)
    if (!middleware.has(request.type))
      return evades(middleware, socket, request) ? forbidden() : this.#do(socket, request)
    if (request.type === 'history') return this.#readThrough(middleware, socket, request)
    return middleware.aroundRequest(socket, request, (changed) => this.#do(socket, changed, request))
  }

  /** A middleware may delay a page until the authorization that allowed it is an older one. */
  async #readThrough(
    middleware: RequestMiddleware,
    socket: ServerSocket,
    request: PendingRequest,
  ): Promise<ChannelAnswer> {
    let { version } = socket.authorization
    const answer = await middleware.aroundRequest(socket, request, async (changed) => {
      const page = await this.#do(socket, changed, request)
      version = socket.authorization.version
      return page
    })
    const isStale = !answer.error && socket.authorization.version !== version
    return isStale ? { error: new RpcError('aborted', STALE) } : answer
  }

  /**
   * Patterns of claims may take milliseconds: the throttle counts them, and the result is cached.
   */
  #haveTurn(socket: ServerSocket, channel: string): Promise<void> {
    return this.#throttle.wait(() => socket.isClosed || socket.grants.subscribe(channel))
  }

  /** @param sent the request as it arrived, which says whether its client still waits */
  async #do(
    socket: ServerSocket,
    request: ChannelRequest,
    sent: PendingRequest = request,
  ): Promise<ChannelAnswer> {
    try {
      if (!isAwaited(socket, sent)) return {}
      // Counted once, and before the functions of rules run, which may be slow.
      const uncount = request.type === 'publish' ? this.#ruleRates.take(socket, request) : undefined
      const { refused, data } = await this.#decideAndDo(socket, request, sent)
      if (refused) uncount?.()
      return refused ?? { data }
    } catch (error) {
      return answerOf(error)
    }
  }

  /** An unsubscribe of the server's own wins, also before anything is asked. */
  async #requestSubscription(socket: ServerSocket, request: SubscribeRequest): Promise<ChannelAnswer> {
    const pending = this.#channels.pending.begin(socket, request.channel)
    try {
      await this.#haveTurn(socket, request.channel)
      // The client may have disconnected while its request was queued: do not run rules or listeners for it.
      if (!this.#mayGoOn(socket, request, pending)) return {}
      const { middleware } = this.#owner
      if (!middleware?.has('subscribe')) return await this.#subscribeFor(socket, request, { pending })
      return await this.#subscribeThrough(middleware, { socket, request, pending })
    } catch (error) {
      return answerOf(error)
    } finally {
      pending.end()
    }
  }

  /**
   * @returns whether the client still waits
   * @throws RpcError `aborted` if the server has taken it off the channel
   */
  #mayGoOn(socket: ServerSocket, request: SubscribeRequest, pending: PendingSubscription): boolean {
    if (!isAwaited(socket, request)) return false
    if (pending.isCancelled && !this.#channels.has(socket, request.channel)) throw aborted()
    return true
  }

  /**
   * Starts again if the authorization changes before anything was done.
   * @returns its data, or the refusal
   */
  async #decideAndDo(
    socket: ServerSocket,
    request: ChannelRequest,
    sent: PendingRequest,
  ): Promise<{ readonly refused?: ChannelAnswer; readonly data?: unknown }> {
    const work: Work = { version: 0, wasOn: false, json: undefined }
    while (isAwaited(socket, sent)) {
      work.version = socket.authorization.version
      work.wasOn = 'channel' in request && socket.isOn(request.channel)
      const refused = await this.#channels.access.decide(socket, request)
      if (refused && !isAwaited(socket, sent)) return { refused }
      if (hasChanged(socket, work)) continue
      if (refused) return { refused }
      if (!isAwaited(socket, sent)) break
      const data = await this.#carryOut(socket, request, work)
      if (data !== CHANGED) return { data }
    }
    return { refused: {} }
  }

  /** @returns {@link CHANGED} if the authorization has changed before it took effect */
  async #carryOut(socket: ServerSocket, request: ChannelRequest, work: Work): Promise<unknown> {
    switch (request.type) {
      case 'unsubscribe':
        return this.#channels.unsubscribe(socket, request.channel)
      case 'publish':
        return this.#publishFor(socket, request, work)
      case 'history': {
        const page = await this.#histories.read(socket, request)
        return hasChanged(socket, work) || hasLost(socket, request, work) ? CHANGED : page
      }
      case 'broadcast':
        this.#channels.broadcasts.checkRoom()
        this.#rates.broadcasts.count(socket, '')
        return this.#broadcastFor(socket, request.data)
      case 'subscribe':
        throw new TypeError('subscriptions are answered by #requestSubscription')
      default:
        return request satisfies never
    }
  }

  /**
   * Encodes a client's data, for one channel or for all.
   * @throws RpcError `too_large`, `too_many_messages`, `unserializable`
   */
  #encode(socket: ServerSocket, channel: string, data: unknown): string {
    const json = encodeData(data)
    const limit = this.#owner.limits.publication
    const size = Buffer.byteLength(json)
    if (size > limit) throw limitError('too_large', { field: 'req.data', limit })
    this.#rates.publications.count(socket, channel)
    this.#rates.bytes.count(socket, channel, size)
    return json
  }

  /** The answer states what holds now: the server may have unsubscribed the socket meanwhile. */
  async #subscribeFor(
    socket: ServerSocket,
    request: SubscribeRequest,
    { pending, added }: { readonly pending: PendingSubscription; readonly added?: AddedGrants[] },
  ): Promise<ChannelAnswer> {
    const { channel, token } = request
    if (token !== undefined) {
      const grants = await this.#owner.redeem(socket, channel, token)
      if (grants && added) added.push(grants)
      else grants?.keep()
      await this.#haveTurn(socket, channel)
      if (!this.#mayGoOn(socket, request, pending)) return {}
    }
    while (this.#mayGoOn(socket, request, pending)) {
      const { version } = socket.authorization
      const isCurrent = () => socket.authorization.version === version
      const refused = await this.#channels.access.decide(socket, request)
      if (!isCurrent()) continue
      if (refused || !this.#mayGoOn(socket, request, pending)) return refused ?? {}
      const isOver = () => request.isAnswered === true
      await this.#channels.subscribe(socket, channel, { from: claimedPosition(request), isOver, isCurrent })
      if (socket.isClosed || this.#channels.has(socket, channel)) return { data: undefined }
      if (isCurrent()) throw aborted()
    }
    return {}
  }

  /**
   * Subscribes within the middleware. If a middleware refuses afterwards, the socket leaves the
   * channel and loses the rights of its token. A socket that was on the channel before stays on it.
   */
  async #subscribeThrough(
    middleware: RequestMiddleware,
    { socket, request, pending }: WaitingSubscription,
  ): Promise<ChannelAnswer> {
    let [wasOn, isOn, isRefused] = [false, false, false]
    const added: AddedGrants[] = []
    const begin = async () => {
      if (!this.#mayGoOn(socket, request, pending)) return {}
      wasOn = this.#channels.has(socket, request.channel)
      const done = await this.#subscribeFor(socket, request, { pending, added })
      isOn = !done.error
      return done
    }
    try {
      const answer = await middleware.aroundRequest(socket, request, begin)
      isRefused = isOn && Boolean(answer.error)
      return answer
    } finally {
      const before = socket.authorization
      for (const grants of added) isRefused ? grants.takeBack() : grants.keep()
      if (isRefused && !wasOn) this.#channels.unsubscribe(socket, request.channel)
      // The token may have allowed other channels meanwhile, or kept this one after a change.
      if (isRefused && added.length > 0) void this.#channels.judge(socket, before)
    }
  }

  async #publishFor(
    socket: ServerSocket,
    request: PublishMessage,
    work: Work,
  ): Promise<Receipt | typeof CHANGED> {
    const { channel, event, data } = request
    // Encoded once, so that it counts once.
    work.json ??= this.#encode(socket, channel, data)
    const { json } = work
    const { meta, echo, retention } = this.#owner.policy.forPublication(socket, channel, event)
    const draft: Draft = { channel, json, event, meta, except: echo ? undefined : socket.sid }
    const asked = retention && this.#newChannels.check(socket, channel)
    if (asked) await asked
    if (socket.isClosed || hasChanged(socket, work)) return CHANGED
    const flight = this.#flights.begin(socket)
    const options = { retention, ...clientKey(socket, request) }
    let receipt: Receipt
    try {
      receipt = await this.#owner.broker.publish(draft, options)
    } finally {
      this.#flights.end(socket, flight)
    }
    this.#newChannels.published(socket, receipt.offset)
    if (!this.#owner.events?.hears('published')) return receipt
    const { id, offset } = receipt
    this.#owner.events?.published(socket, { channel, data, event, id, offset })
    return receipt
  }

  async #broadcastFor(socket: ServerSocket, data: unknown): Promise<void> {
    const json = this.#encode(socket, '', data)
    const flight = this.#flights.begin(socket)
    try {
      await this.#owner.broker.broadcast(json)
    } finally {
      this.#flights.end(socket, flight)
    }
    this.#owner.events?.published(socket, {
      channel: undefined,
      data,
      event: undefined,
      id: undefined,
      offset: undefined,
    })
  }
}

/**
 * Whether a request without a middleware of its own does what another one may refuse. A broadcast
 * publishes on every channel. The history of a channel that the socket is not on is what a
 * subscriber reads.
 */
function evades(middleware: RequestMiddleware, socket: ServerSocket, request: ChannelRequest): boolean {
  if (request.type === 'broadcast') return middleware.has('publish')
  return request.type === 'history' && middleware.has('subscribe') && !socket.isOn(request.channel)
}

async function forbidden(): Promise<ChannelAnswer> {
  return { error: new RpcError('forbidden') }
}

function aborted(): RpcError {
  return new RpcError('aborted', 'The server took this socket off the channel meanwhile')
}

/**
 * Whether the client is connected, and was not answered with `timeout`. Otherwise nothing is done.
 */
function isAwaited(socket: ServerSocket, request: PendingRequest): boolean {
  return !socket.isClosed && !request.isAnswered
}

/** Returns the answer that refuses a request. @throws an error that is no RpcError */
function answerOf(error: unknown): ChannelAnswer {
  if (!RpcError.is(error)) throw error
  return { error }
}

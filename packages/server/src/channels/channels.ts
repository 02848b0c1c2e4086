import { limitError, type Member, type Position, RpcError } from '@token-socket/protocol'
import type { Authorization } from '../claims/authorization.js'
import { checkName } from '../claims/channel-name.js'
import type { BrokerListener, HistoryPage, PageQuery, Receipt } from '../engine/engine.js'
import type { ChannelAnswer, PendingRequest } from '../socket/pending-requests.js'
import type { PublicationOptions } from '../socket/publication-options.js'
import type { ServerSocket } from '../socket/server-socket.js'
import { ChannelAccess, type SubscriptionTerms } from './access.js'
import { logRefusals } from './automatic-refusals.js'
import { AutomaticSubscriptions, type RefusalListener } from './automatic-subscriptions.js'
import { Broadcasts } from './broadcasts.js'
import { BrokerSubscriptions } from './broker-subscriptions.js'
import { type BulkOutcome, BulkSubscriptions } from './bulk-subscriptions.js'
import type { ChannelPolicy } from './channel-policy.js'
import { ChannelRequests } from './channel-requests.js'
import { type ChannelsOwner, EVERY_SOCKET } from './channels-owner.js'
import { Departures } from './departures.js'
import type { Hub } from './hub.js'
import { IdlePositions } from './idle-positions.js'
import { OwnPublications } from './own-publications.js'
import type { PendingGroup } from './pending-group.js'
import { PendingSubscriptions } from './pending-subscriptions.js'
import { ChannelPresence } from './presence.js'
import { PresenceJudging } from './presence-judging.js'
import { Reauthorization } from './reauthorization.js'
import { Recovery } from './recovery.js'
import { ServerSubscriptions } from './server-subscriptions.js'
import type { UnsubscribeReason } from './socket-events.js'

/** An id has no spaces. */
const keyOf = ({ sid }: ServerSocket, channel: string) => `${sid} ${channel}`

/** Subscribes, unsubscribes, publishes and broadcasts, for the server and for clients. */
export class Channels {
  readonly #owner: ChannelsOwner
  readonly #own: OwnPublications
  readonly #access: ChannelAccess
  readonly #brokerSubscriptions: BrokerSubscriptions
  readonly #presence: ChannelPresence
  readonly #idle: IdlePositions
  readonly #broadcasts: Broadcasts
  readonly #departures: Departures
  readonly #requests: ChannelRequests
  readonly #automatic: AutomaticSubscriptions
  readonly #pending = new PendingSubscriptions()
  readonly #bulks: BulkSubscriptions
  readonly #reauthorization: Reauthorization

  /**
   * Channels that sockets were notified of while an earlier subscription was not up to date yet.
   */
  readonly #toldAgain = new WeakMap<ServerSocket, Set<string>>()

  /** Subscriptions that are not up to date yet. */
  readonly #beginning = new Map<string, Recovery>()
  readonly #server = new ServerSubscriptions()

  constructor(owner: ChannelsOwner) {
    this.#owner = owner
    this.#own = new OwnPublications(owner)
    this.#access = new ChannelAccess(owner)
    const unsubscribeFailed = (cause: unknown) => owner.failed(cause, { step: 'unsubscribe' })
    this.#brokerSubscriptions = new BrokerSubscriptions(owner.broker, unsubscribeFailed)
    this.#presence = new ChannelPresence(owner)
    this.#idle = new IdlePositions(owner)
    this.#departures = this.#departing(owner)
    this.#broadcasts = new Broadcasts(owner.hub)
    const has: Hub['has'] = (...where) => owner.hub.has(...where)
    const subscribe: Channels['subscribe'] = (...what) => this.subscribe(...what)
    this.#bulks = new BulkSubscriptions({
      has,
      isBeginning: (...where) => this.#beginning.has(keyOf(...where)),
      subscribe,
      keep: (...where) => this.#server.add(...where),
      failed: (...about) => owner.failed(...about),
    })
    this.#requests = new ChannelRequests(owner, {
      access: this.#access,
      broadcasts: this.#broadcasts,
      pending: this.#pending,
      has,
      subscribe,
      unsubscribe: (...where) => this.unsubscribe(...where, 'client'),
      judge: (...what) => this.reauthorize(...what),
    })
    this.#automatic = new AutomaticSubscriptions({
      pending: this.#pending,
      has,
      request: (socket, channel) => this.request(socket, { type: 'subscribe', id: '', channel }),
      failed: (...about) => owner.failed(...about),
    })
    this.#reauthorization = this.#judging(owner)
    owner.broker.listen(this.#listener(owner))
  }

  /** Carries out a client's request, if {@link ChannelAccess} allows it. */
  request(socket: ServerSocket, request: PendingRequest): Promise<ChannelAnswer> {
    return this.#requests.answer(socket, request)
  }

  /**
   * Subscribes an authenticated socket to the channels that its grants name. See {@link
   * AutomaticSubscriptions}.
   */
  autoSubscribe(socket: ServerSocket, refused: RefusalListener): void {
    this.#automatic.begin(socket, refused)
  }

  /**
   * Subscribes a socket. Its notice and its publications follow. Resolves when it is up to date.
   * @throws RpcError `too_many_subscriptions`; or `uid_required` or `too_many_members`, which take
   *   it off the channel
   */
  async subscribe(socket: ServerSocket, channel: string, terms: SubscriptionTerms = {}): Promise<void> {
    checkName('channel', channel)
    if (socket.wire) throw new RpcError('unsupported', 'A raw WebSocket has no channels')
    const { hub } = this.#owner
    const { isOver, isCurrent } = terms
    if (hub.has(socket, channel)) return this.#beginAgain(socket, channel, terms)
    const isWanted = (await this.#acquire(socket, channel)) && !isOver?.() && isCurrent?.() !== false
    const isMember = hub.has(socket, channel)
    const full = isWanted && !isMember ? this.#fullFor(socket) : undefined
    const joins = isWanted && !isMember && !full && !socket.isClosed
    if (joins) hub.join(socket, channel)
    else this.#brokerSubscriptions.release(channel)
    if (full) throw full
    if (joins) this.#idle.start()
    if (joins) await this.#begin(socket, channel, terms)
    else if (isMember) await this.#beginAgain(socket, channel, terms)
  }

  /**
   * Unsubscribes a socket. It is notified even if it was not subscribed, as by the legacy server.
   */
  unsubscribe(socket: ServerSocket, channel: string, reason: UnsubscribeReason = 'server'): void {
    this.#pending.cancel(socket, channel)
    this.#drop(socket, channel, reason)
    socket.left(channel)
  }

  /** Checks the subscriptions of a socket again, after a change. See {@link Reauthorization}. */
  reauthorize(socket: ServerSocket, before: Authorization): Promise<void> {
    return this.#reauthorization.judge(socket, before)
  }

  /** Waits for publications of sockets, also of closed ones: at most 4 s. */
  publishedWhere(matches: (socket: ServerSocket) => boolean): Promise<void> {
    return this.#requests.publishedWhere(matches)
  }

  /**
   * Begins to subscribe many sockets. The caller fills the group, and passes it to {@link
   * subscribeAll}.
   */
  beginAll(channel: string): PendingGroup {
    return this.#pending.beginAll(channel)
  }

  /** Subscribes the sockets of a group, a few in each turn of the event loop. */
  subscribeAll(group: PendingGroup, channel: string): Promise<BulkOutcome> {
    return this.#bulks.run(group, channel)
  }

  /**
   * Returns the sockets to unsubscribe: those on a channel, and those being subscribed to it.
   * Sockets that `isMeant` selects and that are about to be subscribed stay off it.
   */
  unsubscribable(channel: string, isMeant: (socket: ServerSocket) => boolean = () => true): ServerSocket[] {
    this.#pending.bar(channel, isMeant)
    const [on, pending] = [this.#owner.hub.on(channel), this.#pending.on(channel)]
    return pending.length === 0 ? on : [...new Set([...on, ...pending])]
  }

  /** Whether a socket is on a channel, or is being subscribed to it. */
  wants(socket: ServerSocket, channel: string): boolean {
    return this.#owner.hub.has(socket, channel) || this.#pending.has(socket, channel)
  }

  /** Publishes, for the server. See {@link OwnPublications}. */
  publish(channel: string, data: unknown, options?: PublicationOptions): Promise<Receipt> {
    return this.#own.publish(channel, data, options)
  }

  /** Reads what a channel keeps, for the server. See {@link OwnPublications}. */
  history(channel: string, query?: PageQuery): Promise<HistoryPage> {
    return this.#own.history(channel, query)
  }

  /** Publishes on every channel, for the server. See {@link OwnPublications}. */
  broadcast(data: unknown): Promise<void> {
    return this.#own.broadcast(data)
  }

  /** Unsubscribes every socket of every node from a channel. */
  async unsubscribeAll(channel: string): Promise<void> {
    checkName('channel', channel)
    await this.#owner.broker.command({ type: 'unsubscribeAll', channel })
  }

  /**
   * Returns the members of a channel with presence, over all nodes.
   * @throws RpcError `too_long`, `bad_message`
   */
  async members(channel: string): Promise<Member[]> {
    checkName('channel', channel)
    const { development, policy } = this.#owner
    if (development && !policy.mayHavePresence(channel)) development.warnOfNoPresence(channel)
    return this.#presence.members(channel)
  }

  /** Warns developers if a library says that a pattern has presence, and no channel may have it. */
  checkPresence(pattern: string, channels: readonly string[]): void {
    const { development, policy } = this.#owner
    if (!channels.some((channel) => policy.mayHavePresence(channel))) development?.warnOfNoRule(pattern)
  }

  /**
   * Returns the proof that a client has to send to recover from a position; `undefined` if it needs
   * none.
   */
  prove(socket: ServerSocket, channel: string, position: Position): string | undefined {
    return this.#access.prove(socket, channel, position)
  }

  /**
   * Removes a socket whose connection is closed. {@link Departures} does the rest.
   * @param code how it was closed
   * @param done called when it has left all of its channels
   */
  forget(socket: ServerSocket, code: number, done?: () => void): void {
    const channels = this.#owner.hub.remove(socket)
    this.#presence.release(socket)
    this.#departures.add({ socket, channels, code, ...(done && { done }) })
  }

  /** Reports to the engine which channels the sockets have left, before the engine is closed. */
  close(): void {
    this.#departures.close()
  }

  /** @returns whether the socket still wants the channel, now that the broker is subscribed */
  async #acquire(socket: ServerSocket, channel: string): Promise<boolean> {
    const pending = this.#pending.begin(socket, channel)
    try {
      await this.#brokerSubscriptions.acquire(channel)
    } finally {
      pending.end()
    }
    return !pending.isCancelled
  }

  #recovery(socket: ServerSocket, channel: string, isOver = () => false): Recovery {
    const enter: ChannelPresence['enter'] = (...where) => this.#presence.enter(...where)
    const { policy } = this.#owner
    const keeps: ChannelPolicy['keeps'] = (...where) => policy.keeps(...where)
    const mayRecover: ChannelAccess['mayRecover'] = (...what) => this.#access.mayRecover(...what)
    return new Recovery({ ...this.#owner, enter, keeps, mayRecover, isOver }, socket, channel)
  }

  /** Puts the socket on the channel. */
  async #begin(socket: ServerSocket, channel: string, terms: SubscriptionTerms): Promise<void> {
    const { from, isOver, isCurrent } = terms
    if (!isCurrent) this.#server.add(socket, channel)
    const isTold = () => this.#toldAgain.get(socket)?.has(channel) === true
    // The server may have subscribed it, too, by now.
    const isOnly = () => !isTold() && this.#pending.count(socket, channel) < 2
    const recovery = this.#recovery(socket, channel, () => isOver?.() === true && isOnly())
    const ready = this.#owner.events?.begin(socket, channel)
    const key = keyOf(socket, channel)
    this.#beginning.set(key, recovery)
    try {
      await recovery.run(from)
    } catch (error) {
      const isKnown = isTold() || recovery.hasBegun
      this.#drop(socket, channel, 'failed')
      if (isKnown) socket.left(channel)
      throw error
    } finally {
      this.#beginning.delete(key)
    }
    ready?.()
  }

  /** The socket is on the channel already: it recovers what it missed, or is notified once more. */
  async #beginAgain(
    socket: ServerSocket,
    channel: string,
    { from, isCurrent }: SubscriptionTerms,
  ): Promise<void> {
    if (!isCurrent) this.#server.add(socket, channel)
    const isOn = () => this.#owner.hub.has(socket, channel)
    const pending = this.#pending.begin(socket, channel)
    try {
      if (from) return await this.#recovery(socket, channel).run(from)
      await socket.bulk.run(async () => {
        const arrival = await this.#presence.enter(socket, channel, isOn)
        if (isOn()) {
          this.#toldAgain.set(socket, (this.#toldAgain.get(socket) ?? new Set()).add(channel))
          socket.joined(channel, { members: arrival?.members })
        }
        arrival?.follow()
      })
    } catch (error) {
      if (isOn()) this.unsubscribe(socket, channel, 'failed')
      throw error
    } finally {
      pending.end()
    }
  }

  #judging(owner: ChannelsOwner): Reauthorization {
    const { hub, policy, log, failed } = owner
    const presence = this.#presence
    const isTold = (socket: ServerSocket, channel: string) =>
      this.#beginning.get(keyOf(socket, channel))?.hasBegun !== false ||
      this.#toldAgain.get(socket)?.has(channel) === true
    return new Reauthorization({
      access: this.#access,
      presence: new PresenceJudging({ policy, presence, isTold, failed }),
      hub,
      isOwn: (...where) => this.#server.has(...where),
      revoke: (socket, channel) => {
        this.#drop(socket, channel, 'revoked')
        socket.left(channel, true)
      },
      autoSubscribe: (socket, { grants }) => {
        this.#automatic.begin(socket, log ? logRefusals(log, socket) : () => {}, grants)
      },
      published: (socket) => this.#requests.published(socket),
      limits: owner.limits,
      log,
      failed,
    })
  }

  #departing({ hub, events }: Pick<ChannelsOwner, 'hub' | 'events'>): Departures {
    return new Departures(({ socket, code }, channel) => {
      if (!hub.leave(socket, channel)) return
      this.#brokerSubscriptions.release(channel)
      this.#presence.leave(socket, channel, code)
      this.#idle.stop()
      events?.left(socket, channel, 'disconnected')
    })
  }

  #listener({ hub, joining }: Pick<ChannelsOwner, 'hub' | 'joining'>): BrokerListener {
    return {
      // A member's join is sent before the member's publications.
      publication: (publication) => {
        this.#presence.flushOn(publication.channel)
        hub.deliver(publication)
      },
      broadcast: (json) => {
        this.#presence.flush()
        this.#broadcasts.add(json)
      },
      command: ({ channel }) => {
        joining?.later(EVERY_SOCKET, (socket) => {
          if (this.wants(socket, channel)) this.unsubscribe(socket, channel)
        })
        for (const socket of this.unsubscribable(channel)) this.unsubscribe(socket, channel)
      },
      presence: (event) => this.#presence.hear(event),
    }
  }

  #drop(socket: ServerSocket, channel: string, reason: UnsubscribeReason): void {
    const { hub } = this.#owner
    if (!hub.has(socket, channel)) return
    hub.leave(socket, channel)
    this.#idle.stop()
    this.#toldAgain.get(socket)?.delete(channel)
    this.#server.delete(socket, channel)
    this.#brokerSubscriptions.release(channel)
    this.#presence.leave(socket, channel)
    this.#reauthorization.forget(socket, channel)
    this.#owner.events?.left(socket, channel, reason)
  }

  /** Returns the error that refuses one more subscription, if any. */
  #fullFor(socket: ServerSocket): RpcError | undefined {
    const { hub, limits } = this.#owner
    const { subscriptions, subscriptionsPerUser } = limits
    if (socket.channelNames.length >= subscriptions)
      return limitError('too_many_subscriptions', { field: 'subscriptions', limit: subscriptions })
    if (hub.subscriptionsOf(socket) < subscriptionsPerUser) return undefined
    return limitError('too_many_subscriptions', {
      field: 'subscriptionsPerUser',
      limit: subscriptionsPerUser,
    })
  }
}

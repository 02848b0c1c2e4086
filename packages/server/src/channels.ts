import {
  encodeData,
  type Member,
  type Position,
  type PublishMessage,
  RpcError,
  refusal,
  type SubscriptionMessage,
} from '@token-socket/protocol'
import {
  ChannelAccess,
  type ChannelAccessOwner,
  type ClaimedPosition,
  claimedPosition,
} from './channels/access.js'
import { Broadcasts } from './channels/broadcasts.js'
import { ChannelRate } from './channels/channel-rate.js'
import { checkName } from './channels/check-name.js'
import { Departures } from './channels/departures.js'
import { HistoryAnswers } from './channels/history-answers.js'
import { clientKey, serverKey } from './channels/idempotency-keys.js'
import { IdlePositions } from './channels/idle-positions.js'
import { NewChannels } from './channels/new-channels.js'
import { type PendingSubscription, PendingSubscriptions } from './channels/pending-subscriptions.js'
import type { Broker, Draft, History, HistoryPage, HistoryQuery, Receipt, Retention } from './engine.js'
import type { Hub } from './hub.js'
import { Interest } from './interest.js'
import { ChannelPresence, type ChannelPresenceOwner } from './presence.js'
import { Recovery } from './recovery.js'
import type { ChannelAnswer, ChannelRequest, PublicationOptions, RemoteClient } from './remote-client.js'
import { Turnstile } from './turnstile.js'

/** What the grants and the server's rules say. */
export interface ChannelPolicy extends Readonly<ChannelAccessOwner['policy']> {
  /** Whether a socket takes part in a channel's presence. */
  hasPresence(socket: RemoteClient, channel: string): boolean | Promise<boolean>
  /** What goes with a client's publication: who made it, whether it gets it itself, how long it is kept. */
  forPublication(
    socket: RemoteClient,
    channel: string,
    event: string | undefined,
  ): { readonly meta: string | undefined; readonly echo: boolean; readonly retention: Retention | undefined }
  /** How long the server's own publications on a channel are kept. @param store milliseconds, instead of the rule's */
  retention(channel: string, store?: number): Retention | undefined
  /** Whether the channel may keep something that this socket could miss. */
  keeps(socket: RemoteClient, channel: string): boolean
}

/** What {@link Channels} needs from its server. */
export interface ChannelsOwner extends ChannelPresenceOwner, ChannelAccessOwner {
  readonly hub: Hub
  readonly broker: Broker
  readonly history: History
  readonly policy: ChannelPolicy
  /** Gives a socket what a channel's own token says. @throws RpcError `invalid_token` */
  redeem(socket: RemoteClient, channel: string, token: string): Promise<void>
  /** Bytes of a message's data as JSON. */
  readonly publication: number
  /** See {@link HistoryAnswersOwner}. */
  readonly historyPage: number
  /** Publications of one socket on one channel in a second, and bytes of their data. */
  readonly publicationRate: number
  readonly publicationBytes: number
  /** Broadcasts of one socket in a second. */
  readonly broadcastRate: number
  /** See {@link NewChannelsOwner}. */
  readonly channelsPerUser: number
  /** How many channels one socket may be subscribed to. */
  readonly subscriptions: number
  /** How many subscriptions the sockets of one user may have together. */
  readonly subscriptionsPerUser: number
}

/** Subscribes, unsubscribes, publishes and broadcasts: by the server's will, or at a client's request. */
export class Channels {
  readonly #owner: ChannelsOwner
  readonly #access: ChannelAccess
  readonly #interest: Interest
  readonly #presence: ChannelPresence
  readonly #idle: IdlePositions
  readonly #histories: HistoryAnswers
  readonly #newChannels: NewChannels
  readonly #broadcasts: Broadcasts
  readonly #departures: Departures
  readonly #rates: Readonly<Record<'publications' | 'bytes' | 'broadcasts', ChannelRate>>
  /** What requests to subscribe wait at when many come at once. */
  readonly #turnstile = new Turnstile()
  readonly #pending = new PendingSubscriptions()

  /** Channels of which sockets were told while an earlier subscription to them was not up to date yet. */
  readonly #toldAgain = new WeakMap<RemoteClient, Set<string>>()

  constructor(owner: ChannelsOwner) {
    this.#owner = owner
    this.#access = new ChannelAccess(owner)
    this.#interest = new Interest(owner.broker, (cause) => owner.failed(cause, { step: 'unsubscribe' }))
    this.#presence = new ChannelPresence(owner)
    this.#idle = new IdlePositions(owner)
    this.#newChannels = new NewChannels(owner)
    this.#departures = new Departures(({ socket, code }, channel) => {
      if (!owner.hub.leave(socket, channel)) return
      this.#interest.release(channel)
      this.#presence.leave(socket, channel, code)
      this.#idle.stop()
    })
    this.#histories = new HistoryAnswers({ ...owner, access: this.#access })
    this.#broadcasts = new Broadcasts(owner.hub)
    this.#rates = {
      publications: new ChannelRate('publicationRate', owner.publicationRate),
      bytes: new ChannelRate('publicationBytes', owner.publicationBytes),
      broadcasts: new ChannelRate('broadcastRate', owner.broadcastRate),
    }
    owner.broker.listen({
      // A member's arrival is told before what it publishes.
      publication: (publication) => {
        this.#presence.flushOn(publication.channel)
        owner.hub.deliver(publication)
      },
      broadcast: (json) => {
        this.#presence.flush()
        this.#broadcasts.add(json)
      },
      command: ({ channel }) => {
        for (const socket of new Set([...owner.hub.on(channel), ...this.#pending.on(channel)]))
          this.unsubscribe(socket, channel)
      },
      presence: (event) => this.#presence.hear(event),
    })
  }

  /** Does what a client asks, if {@link ChannelAccess} allows it. */
  request(socket: RemoteClient, request: ChannelRequest): Promise<ChannelAnswer> {
    return request.type === 'subscribe'
      ? this.#requestSubscription(socket, request)
      : this.#do(socket, request)
  }

  /**
   * Subscribes a socket; its notice and its publications follow. Resolves when it is up to date.
   * @param from where its client says that it was, to get what it missed
   * @throws RpcError `too_many_subscriptions`; `uid_required` or `too_many_members`, and then it is off the channel
   */
  async subscribe(socket: RemoteClient, channel: string, from?: ClaimedPosition): Promise<void> {
    checkName('channel', channel)
    const { hub } = this.#owner
    if (hub.has(socket, channel)) return this.#beginAgain(socket, channel, from)
    const isWanted = await this.#acquire(socket, channel)
    const isMember = hub.has(socket, channel)
    const full = isWanted && !isMember ? this.#fullFor(socket) : undefined
    const joins = isWanted && !isMember && !full && !socket.isClosed
    if (joins) hub.join(socket, channel)
    else this.#interest.release(channel)
    if (full) throw full
    if (joins) this.#idle.start()
    if (joins) await this.#begin(socket, channel, from)
    else if (isMember) await this.#beginAgain(socket, channel, from)
  }

  /** Unsubscribes a socket. It is told so even if it was not subscribed, as the old server did. */
  unsubscribe(socket: RemoteClient, channel: string): void {
    this.#pending.cancel(socket, channel)
    this.#drop(socket, channel)
    socket.left(channel)
  }

  /**
   * Publishes, for the server; resolves when the engine has accepted it.
   * @throws RpcError `unserializable`, `too_long`, `too_large`
   */
  async publish(channel: string, data: unknown, options: PublicationOptions = {}): Promise<Receipt> {
    checkName('channel', channel)
    if (options.event !== undefined) checkName('event', options.event)
    if (options.idempotencyKey !== undefined) checkName('key', options.idempotencyKey)
    const { event, store } = options
    const retention = this.#owner.policy.retention(channel, store)
    return this.#owner.broker.publish(
      { channel, json: encodeData(data), event },
      { retention, ...serverKey(options.idempotencyKey) },
    )
  }

  /**
   * Reads what a channel keeps.
   * @throws RpcError `too_long`, `bad_message`
   */
  async history(channel: string, query: HistoryQuery): Promise<HistoryPage> {
    checkName('channel', channel)
    return this.#owner.history.read(channel, query)
  }

  /** Publishes on every channel of every node; resolves when the engine has accepted it. */
  async broadcast(data: unknown): Promise<void> {
    await this.#owner.broker.broadcast(encodeData(data))
  }

  /** Takes every socket of every node off a channel. */
  async unsubscribeAll(channel: string): Promise<void> {
    checkName('channel', channel)
    await this.#owner.broker.command({ type: 'unsubscribeAll', channel })
  }

  /** Who is on a channel that has presence, on every node. @throws RpcError `too_long`, `bad_message` */
  async members(channel: string): Promise<Member[]> {
    checkName('channel', channel)
    return this.#presence.members(channel)
  }

  /** What a client has to return to be given what comes after a position; `undefined` if it needs nothing. */
  prove(socket: RemoteClient, channel: string, position: Position): string | undefined {
    return this.#access.prove(socket, channel, position)
  }

  /** A socket's connection is gone: it is on no channel from now on. {@link Departures} does the rest. @param code of it */
  forget(socket: RemoteClient, code: number): void {
    const channels = this.#owner.hub.remove(socket)
    this.#presence.release(socket)
    this.#departures.add({ socket, channels, code })
  }

  /** The engine is about to be closed: it learns now which channels the sockets have left. */
  close(): void {
    this.#departures.close()
  }

  /** Patterns of claims may take milliseconds: the turnstile counts them. The answer is remembered. */
  #haveTurn(socket: RemoteClient, channel: string): Promise<void> {
    return this.#turnstile.wait(() => socket.isClosed || socket.grants.subscribe(channel))
  }

  /** @returns whether the socket still wants the channel, now that the broker has it */
  async #acquire(socket: RemoteClient, channel: string): Promise<boolean> {
    const pending = this.#pending.begin(socket, channel)
    try {
      await this.#interest.acquire(channel)
    } finally {
      pending.end()
    }
    return !pending.isCancelled
  }

  #recovery(socket: RemoteClient, channel: string): Recovery {
    const enter: ChannelPresence['enter'] = (...where) => this.#presence.enter(...where)
    const { policy } = this.#owner
    const keeps: ChannelPolicy['keeps'] = (...where) => policy.keeps(...where)
    const mayRecover: ChannelAccess['mayRecover'] = (...what) => this.#access.mayRecover(...what)
    return new Recovery({ ...this.#owner, enter, keeps, mayRecover }, socket, channel)
  }

  /** It is on the channel from now on. */
  async #begin(socket: RemoteClient, channel: string, from?: ClaimedPosition): Promise<void> {
    const recovery = this.#recovery(socket, channel)
    try {
      await recovery.run(from)
    } catch (error) {
      const isTold = this.#toldAgain.get(socket)?.has(channel)
      this.#drop(socket, channel)
      if (isTold || recovery.hasBegun) socket.left(channel)
      throw error
    }
  }

  /** It is on the channel already: gets what it missed, if it says where it was, or is just told once more. */
  async #beginAgain(socket: RemoteClient, channel: string, from?: ClaimedPosition): Promise<void> {
    const isOn = () => this.#owner.hub.has(socket, channel)
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
      if (isOn()) this.unsubscribe(socket, channel)
      throw error
    }
  }

  #drop(socket: RemoteClient, channel: string): void {
    const { hub } = this.#owner
    if (!hub.has(socket, channel)) return
    hub.leave(socket, channel)
    this.#idle.stop()
    this.#toldAgain.get(socket)?.delete(channel)
    this.#interest.release(channel)
    this.#presence.leave(socket, channel)
  }

  async #do(socket: RemoteClient, request: ChannelRequest): Promise<ChannelAnswer> {
    if (socket.isClosed) return {}
    try {
      const refused = await this.#access.decide(socket, request)
      if (refused || socket.isClosed) return refused ?? {}
      return { data: await this.#carryOut(socket, request) }
    } catch (error) {
      return answerOf(error)
    }
  }

  /** The server's own unsubscribe wins over it, also before anything is asked. */
  async #requestSubscription(socket: RemoteClient, request: SubscriptionMessage): Promise<ChannelAnswer> {
    const pending = this.#pending.begin(socket, request.channel)
    try {
      await this.#haveTurn(socket, request.channel)
      // The client may have disconnected while its request was queued: do not run rules or listeners for it.
      return this.#mayGoOn(socket, request, pending) ? await this.#subscribeFor(socket, request, pending) : {}
    } catch (error) {
      return answerOf(error)
    } finally {
      pending.end()
    }
  }

  /** @returns whether the client is still there @throws RpcError `aborted` if the server has taken it off the channel */
  #mayGoOn(socket: RemoteClient, { channel }: SubscriptionMessage, pending: PendingSubscription): boolean {
    if (socket.isClosed) return false
    if (pending.isCancelled && !this.#owner.hub.has(socket, channel)) throw aborted()
    return true
  }

  async #carryOut(socket: RemoteClient, request: ChannelRequest): Promise<unknown> {
    switch (request.type) {
      case 'unsubscribe':
        return this.unsubscribe(socket, request.channel)
      case 'publish':
        return this.#publishFor(socket, request)
      case 'history':
        return this.#histories.read(socket, request)
      case 'broadcast':
        this.#broadcasts.checkRoom()
        this.#rates.broadcasts.count(socket, '')
        return this.#owner.broker.broadcast(this.#encode(socket, '', request.data))
    }
  }

  /** What refuses one more subscription, if anything does. */
  #fullFor(socket: RemoteClient): RpcError | undefined {
    const { hub, subscriptions, subscriptionsPerUser } = this.#owner
    if (socket.channels.length >= subscriptions)
      return refusal('too_many_subscriptions', { field: 'subscriptions', limit: subscriptions })
    if (hub.subscriptionsOf(socket) < subscriptionsPerUser) return undefined
    return refusal('too_many_subscriptions', { field: 'subscriptionsPerUser', limit: subscriptionsPerUser })
  }

  /** A client's data, on one channel or on all. @throws RpcError `too_large`, `too_many_messages`, `unserializable` */
  #encode(socket: RemoteClient, channel: string, data: unknown): string {
    const json = encodeData(data)
    const limit = this.#owner.publication
    const size = Buffer.byteLength(json)
    if (size > limit) throw refusal('too_large', { field: 'req.data', limit })
    this.#rates.publications.count(socket, channel)
    this.#rates.bytes.count(socket, channel, size)
    return json
  }

  /** The answer says what is so now: an unsubscribe of the server's own may have come meanwhile. */
  async #subscribeFor(
    socket: RemoteClient,
    request: SubscriptionMessage,
    pending: PendingSubscription,
  ): Promise<ChannelAnswer> {
    const { channel, token } = request
    if (token !== undefined) {
      await this.#owner.redeem(socket, channel, token)
      await this.#haveTurn(socket, channel)
      if (!this.#mayGoOn(socket, request, pending)) return {}
    }
    const refused = await this.#access.decide(socket, request)
    if (refused || !this.#mayGoOn(socket, request, pending)) return refused ?? {}
    await this.subscribe(socket, channel, claimedPosition(request))
    if (!socket.isClosed && !this.#owner.hub.has(socket, channel)) throw aborted()
    return { data: undefined }
  }

  async #publishFor(socket: RemoteClient, request: PublishMessage): Promise<Receipt> {
    const { channel, event, data } = request
    const json = this.#encode(socket, channel, data)
    const { meta, echo, retention } = this.#owner.policy.forPublication(socket, channel, event)
    const draft: Draft = { channel, json, event, meta, except: echo ? undefined : socket.sid }
    const asked = retention && this.#newChannels.check(socket, channel)
    if (asked) await asked
    const receipt = await this.#owner.broker.publish(draft, { retention, ...clientKey(socket, request) })
    this.#newChannels.published(socket, receipt.offset)
    return receipt
  }
}

function aborted(): RpcError {
  return new RpcError('aborted', 'The server took this socket off the channel meanwhile')
}

/** The answer that refuses a request. @throws what is no RpcError */
function answerOf(error: unknown): ChannelAnswer {
  if (!RpcError.is(error)) throw error
  return { error }
}

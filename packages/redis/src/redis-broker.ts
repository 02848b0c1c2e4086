import { randomBytes } from 'node:crypto'
import { createTimeouts, decodeData, encodeData, RpcError, startTimeout } from '@token-socket/protocol'
import {
  type Broker,
  type BrokerListener,
  type Draft,
  type EventIds,
  IDEMPOTENCY,
  type NodeCommand,
  type PublishOptions,
  type Receipt,
} from '@token-socket/server/engine'
import { type Commands, type Reply, wholeTime } from './connection/commands.js'
import { RetryQueue } from './connection/retry-queue.js'
import type { SubscriptionListener, TopicSubscriber } from './connection/subscriber.js'
import type { ThrottledLog } from './connection/throttled-log.js'
import { KeyOwners } from './key-owners.js'
import { LogFollower } from './log-follower.js'
import type { LogReader } from './log-reader.js'
import { OwnDeliveries } from './own-deliveries.js'
import type { ChannelKeys, Keys } from './scripts/keys.js'
import { PUBLISH } from './scripts/log-scripts.js'
import {
  decodeChange,
  decodeEntry,
  decodePublication,
  type Entry,
  encodeDraft,
  encodeEntry,
} from './scripts/messages.js'
import type { StoreId } from './store-id.js'

/** Dependencies of a {@link RedisBroker}. */
export interface RedisBrokerOwner {
  readonly commands: Commands
  readonly logs: LogReader
  readonly keys: Keys
  readonly ids: EventIds
  readonly throttledLog: ThrottledLog
  /** How many publications may wait while Redis is away, and for how many milliseconds. */
  readonly waitingPublications: number
  readonly waitingTime: number
  /** Milliseconds between two checks of idle channels. */
  readonly checkInterval: number
  /** Called at the same interval. */
  tick(): Promise<unknown>
  readonly store: StoreId
  /** Receives the messages on this node's own Redis channel. */
  readonly nodes: { readonly topic: string; hear(text: string): void }
  /** Opens the connection that receives messages. */
  listen(hearing: SubscriptionListener): TopicSubscriber
}

/** A channel that this node is subscribed to. */
interface Subscription {
  readonly keys: ChannelKeys
  readonly publications: LogFollower
  readonly changes: LogFollower
  /** Resolves when messages are received. */
  opened: Promise<void>
  /** This node's own publications on it. Created with the first one. */
  own: OwnDeliveries | undefined
}

/** One attempt to publish. */
interface Attempt {
  readonly retention: PublishOptions['retention']
  /** The key of its receipt: if the receipt exists already, nothing is published. */
  readonly receipt: string | undefined
  readonly keyTtl?: number
}

/**
 * Milliseconds for which an idempotency key is known; and a publication's own key, once the
 * publication may not wait any longer.
 */
const KEY_TTL = { idempotency: IDEMPOTENCY.ttl, own: 60_000 }

/** Messages between nodes are kept for as long as a connection may be away. */
const CONTROL_RETENTION = { size: 1000, ttl: 60_000 }

/** Positions of one request. */
const BATCH = 500

/**
 * Publications through Redis. A script publishes what is kept, so that messages have the order of
 * the offsets. A {@link LogFollower} receives it, so that a lost connection loses nothing.
 * Broadcasts and commands are kept for a minute, for the same reason. A node whose connection is
 * away misses what is not kept.
 */
export class RedisBroker implements Broker {
  readonly #owner: RedisBrokerOwner
  readonly #subscriber: TopicSubscriber
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #control: Subscription
  readonly #keyOwners: KeyOwners
  readonly #line: RetryQueue | undefined
  readonly #timeouts = createTimeouts()
  /** A secret name of this run, so that no other node and no client can use its receipts. */
  readonly #run = randomBytes(12).toString('base64url')
  #attempts = 0
  #listener: BrokerListener | undefined
  #stopTimer = () => {}
  #latestId = ''
  /** The Redis channels that wait for the next comparison. */
  readonly #due = new Set<string>()
  #checking: Promise<void> | undefined
  #isClosed = false

  constructor(owner: RedisBrokerOwner) {
    this.#owner = owner
    this.#keyOwners = new KeyOwners(owner.commands, owner.keys)
    this.#control = this.#add(owner.keys.control, {
      publication: (entry) => this.#handleControl(entry),
      change: () => {},
    })
    this.#subscriber = owner.listen({
      topics: () => [...this.#subscriptions.keys(), owner.nodes.topic],
      message: (text, topic) => this.#hear(text, topic),
      ready: (topics) => void this.check(topics),
    })
    const { waitingPublications: limit, waitingTime: time, commands } = owner
    if (limit > 0)
      this.#line = new RetryQueue({ limit, time, isReady: () => commands.age(owner.keys.store) >= 0 })
    this.#arm()
  }

  /** The channels with presence that this node is subscribed to, by their keys. */
  get watched(): ChannelKeys[] {
    return [...this.#subscriptions.values()].filter(({ changes }) => changes.position).map(({ keys }) => keys)
  }

  listen(listener: BrokerListener): void {
    this.#listener = listener
  }

  /**
   * Resolves when this node receives broadcasts, commands and questions. @throws RpcError
   * `engine_unavailable`
   */
  async ready(): Promise<void> {
    await Promise.all([this.#open(this.#control), this.#subscriber.subscribe(this.#owner.nodes.topic)])
  }

  async subscribe(channel: string): Promise<void> {
    const keys = this.#owner.keys.channel(channel)
    const known = this.#subscriptions.get(keys.topic)
    if (known) return known.opened
    const subscription = this.#add(keys, {
      publication: (entry) => this.#listener?.publication(decodePublication(channel, entry)),
      change: (entry) => this.#listener?.presence(decodeChange(channel, entry)),
    })
    subscription.opened = this.#open(subscription)
    await subscription.opened.catch((error) => {
      if (this.#subscriptions.get(keys.topic) === subscription) void this.#remove(subscription)
      throw error
    })
  }

  async unsubscribe(channel: string): Promise<void> {
    const subscription = this.#subscriptions.get(this.#owner.keys.channel(channel).topic)
    if (subscription) await this.#remove(subscription)
  }

  async publish(draft: Draft, options: PublishOptions = {}): Promise<Receipt> {
    return this.#publish(this.#owner.keys.channel(draft.channel), draft, options)
  }

  async broadcast(json: string): Promise<void> {
    const draft = { channel: '', json, event: 'broadcast' }
    await this.#publish(this.#control.keys, draft, { retention: CONTROL_RETENTION })
  }

  async command(command: NodeCommand): Promise<void> {
    const draft = { channel: '', json: encodeData(command), event: 'command' }
    await this.#publish(this.#control.keys, draft, { retention: CONTROL_RETENTION })
  }

  /** Redis is connected again. */
  restore(): void {
    this.#line?.flush()
    void this.check()
  }

  /**
   * Compares channels with Redis. Further requests for the same channel meanwhile are done once,
   * afterwards.
   * @param topics their Redis channels. @default all
   */
  check(topics: Iterable<string> = this.#subscriptions.keys()): Promise<void> {
    for (const topic of topics) this.#due.add(topic)
    this.#checking ??= this.#checkDue()
    return this.#checking
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopTimer()
    this.#line?.close()
    for (const feed of this.#feeds()) feed.end()
    for (const { own } of this.#subscriptions.values()) own?.end()
    this.#timeouts.clear()
    // Questions that were asked before are still received, and refused, so that no node waits for
    // one that has left. Closing waits for this.
    void this.#subscriber.unsubscribe(this.#owner.nodes.topic)
    await this.#subscriber.close()
  }

  #arm(): void {
    this.#stopTimer = startTimeout(this.#owner.checkInterval, () => {
      const idle = this.#feeds().filter((feed) => feed.isIdle)
      const looks = [this.#subscriber.ping(), this.#owner.tick(), this.#compare(idle)]
      void Promise.allSettled(looks).then(() => this.#isClosed || this.#arm())
    })
  }

  async #checkDue(): Promise<void> {
    // Deferred, so that no caller sees this as done before the next run is recorded.
    await undefined
    while (this.#due.size > 0) {
      const due = [...this.#due]
      this.#due.clear()
      await this.#compare(this.#feeds(due))
    }
    this.#checking = undefined
  }

  /** One batch after the other. */
  async #compare(feeds: readonly LogFollower[]): Promise<void> {
    for (let at = 0; at < feeds.length && !this.#isClosed; at += BATCH) {
      await Promise.allSettled(feeds.slice(at, at + BATCH).map((feed) => this.#check(feed)))
    }
  }

  #feeds(topics: Iterable<string> = this.#subscriptions.keys()): LogFollower[] {
    return [...topics].flatMap((topic) => {
      const subscription = this.#subscriptions.get(topic)
      return subscription ? [subscription.publications, subscription.changes] : []
    })
  }

  #add(keys: ChannelKeys, deliver: Record<Entry['kind'], (entry: Entry) => void>): Subscription {
    const feed = (kind: Entry['kind'], log = kind === 'change' ? keys.changes : keys.publications) =>
      new LogFollower({
        kind,
        keys: log,
        follow: (from) => this.#owner.logs.follow(kind, log, from),
        deliver: (entry) => this.#deliver(subscription, entry, deliver[kind]),
        refuse: () => this.#refuse(keys.topic),
      })
    const subscription: Subscription = {
      keys,
      publications: feed('publication'),
      changes: feed('change'),
      opened: Promise.resolve(),
      own: undefined,
    }
    this.#subscriptions.set(keys.topic, subscription)
    return subscription
  }

  async #open({ keys, publications, changes }: Subscription): Promise<void> {
    const checks = [publications, changes].map((feed) => this.#check(feed))
    await Promise.all([this.#subscriber.subscribe(keys.topic), ...checks])
  }

  #remove({ keys, publications, changes, own }: Subscription): Promise<void> {
    for (const feed of [publications, changes]) feed.end()
    own?.end()
    this.#subscriptions.delete(keys.topic)
    return this.#subscriber.unsubscribe(keys.topic)
  }

  async #check(feed: LogFollower): Promise<void> {
    const seen = feed.position
    feed.check(await this.#owner.logs.logPosition(feed.keys), seen)
  }

  #publish(keys: ChannelKeys, draft: Draft, options: PublishOptions): Promise<Receipt> {
    const { retention, idempotencyKey } = options
    const payload = encodeDraft(draft)
    const given = idempotencyKey === undefined ? undefined : keys.receipt(idempotencyKey)
    const { keyOwner } = options
    if (!this.#line)
      return this.#bounded(keyOwner, given, () => this.#send(keys, payload, { retention, receipt: given }))
    // If the connection is lost before the answer, this key tells Redis whether the script has run.
    const receipt = given ?? keys.attempt(`${this.#run}${++this.#attempts}`)
    const keyTtl = given ? KEY_TTL.idempotency : KEY_TTL.own + this.#owner.waitingTime
    const send = () => this.#send(keys, payload, { retention, receipt, keyTtl })
    return this.#line.run(() => this.#bounded(keyOwner, given, send))
  }

  /** Both at once, so that recording the key delays no publication. */
  async #bounded(
    owner: string | undefined,
    receipt: string | undefined,
    send: () => Promise<Receipt>,
  ): Promise<Receipt> {
    if (owner === undefined || receipt === undefined) return send()
    const bounded = this.#keyOwners.add(owner, receipt)
    const [sent] = await Promise.all([send(), bounded])
    return sent
  }

  /**
   * If this node has the channel, its own sockets receive the publication before its publisher
   * continues.
   */
  #send(keys: ChannelKeys, payload: string, how: Attempt): Promise<Receipt> {
    const id = this.#owner.ids.next()
    const subscription = this.#subscriptions.get(keys.topic)
    if (!subscription || !this.#subscriber.hears(keys.topic)) return this.#sendAs(id, keys, payload, how)
    subscription.own ??= new OwnDeliveries(this.#timeouts, () => subscription.publications.position)
    return subscription.own.around(id, () => this.#sendAs(id, keys, payload, how))
  }

  #sendAs(id: string, keys: ChannelKeys, payload: string, how: Attempt): Promise<Receipt> {
    const { retention, receipt, keyTtl = KEY_TTL.idempotency } = how
    if (!retention && receipt === undefined) {
      const message = encodeEntry({ kind: 'publication', id, payload })
      return this.#owner.commands.publish(keys.topic, message).then(() => ({ id }))
    }
    const { meta, entries } = keys.publications
    const names = [meta, entries, ...(receipt === undefined ? [] : [receipt])]
    const kept = retention ? [retention.size, wholeTime(retention.ttl)] : ['', '']
    const known = [this.#owner.store.newEpoch(meta), wholeTime(keyTtl), this.#latestOn(keys)]
    const args = [keys.topic, payload, ...kept, id, ...known]
    return this.#owner.commands.evaluate(PUBLISH, names, args).then((reply) => this.#published(reply))
  }

  /**
   * Returns the latest id that this node has received on a channel: Redis may have lost it since.
   */
  #latestOn({ topic }: ChannelKeys): string {
    return this.#subscriptions.get(topic)?.publications.position?.id ?? ''
  }

  #published([id, epoch, offset]: Reply): Receipt {
    if (!id) throw new RpcError('engine_unavailable', 'Redis gave no receipt')
    // Later publications of this node, kept or not, get a later id.
    if (id > this.#latestId) this.#owner.ids.raise(id)
    this.#latestId = id
    return epoch && offset ? { id, epoch, offset: Number(offset) } : { id }
  }

  #hear(text: string, topic: string): void {
    const { nodes } = this.#owner
    if (topic === nodes.topic) return nodes.hear(text)
    const subscription = this.#subscriptions.get(topic)
    if (!subscription) return
    const entry = decodeEntry(text)
    if (!entry) return this.#refuse(topic)
    const { publications, changes } = subscription
    const feed = entry.kind === 'change' ? changes : publications
    feed.receive(entry)
  }

  #deliver(subscription: Subscription, entry: Entry, deliver: (entry: Entry) => void): void {
    try {
      deliver(entry)
    } catch (err) {
      const { topic } = subscription.keys
      this.#owner.throttledLog.warn('a message could not be delivered', { err, topic })
    }
    if (entry.kind === 'publication') subscription.own?.delivered(entry.id)
  }

  #refuse(topic: string): void {
    this.#owner.throttledLog.warn('a message on a Redis channel is not ours', { topic })
  }

  /** Handles messages between nodes. */
  #handleControl(entry: Entry): void {
    const { event, json } = decodePublication('', entry)
    if (event === 'broadcast') return this.#listener?.broadcast(json)
    const command = decodeData(json) as NodeCommand
    if (command.type === 'unsubscribeAll') this.#listener?.command(command)
  }
}

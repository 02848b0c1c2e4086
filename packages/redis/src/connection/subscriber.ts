import { type ConnectionOwner, RedisConnection } from './redis-connection.js'
import type { RedisHandle } from './redis-handle.js'
import { isSharded } from './sharding.js'

/** Receives the events of a {@link TopicSubscriber}. */
export interface SubscriptionListener {
  /** Returns the Redis channels that a new connection subscribes to. */
  topics(): string[]
  /** A message arrived. */
  message(text: string, topic: string): void
  /**
   * Channels are subscribed, for the first time or again. @param topics Redis channels. @default
   * all
   */
  ready(topics?: readonly string[]): void
}

/** Dependencies of a {@link Subscriber}, in addition to those of a connection. */
export interface SubscriberOwner extends Omit<ConnectionOwner, 'ready'>, SubscriptionListener {
  /** A Redis of a cluster no longer has a Redis channel. */
  moved?(topic: string): void
}

/** Receives messages. Each node is subscribed once to each Redis channel, for all of its parts. */
export interface TopicSubscriber {
  /** Does nothing if it is subscribed already. @throws RpcError `engine_unavailable` */
  subscribe(topic: string): Promise<void>
  /**
   * Resolves when no further messages arrive. A connection that is away is restored without the
   * channel.
   */
  unsubscribe(topic: string): Promise<void>
  /** Returns whether the channel's connection is open. */
  hears(topic: string): boolean
  /** Checks whether the connection is alive, and replaces it if not. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Redis channels of one SUBSCRIBE. */
const BATCH = 500

/** A connection to one Redis that receives messages. */
export class Subscriber implements TopicSubscriber {
  readonly #connection: RedisConnection
  readonly #listen: (text: string, topic: string) => void

  constructor(owner: SubscriberOwner) {
    this.#listen = (text, topic) => owner.message(text, topic)
    this.#connection = new RedisConnection({
      ...owner,
      prepare: async (client) => {
        await owner.prepare(client)
        client.on('sharded-channel-moved', (topic) => owner.moved?.(topic))
        await this.#subscribeAll(client, owner.topics())
      },
    })
  }

  subscribe(topic: string): Promise<void> {
    return this.#connection.run((client) => this.#subscribe(client, [topic]))
  }

  async unsubscribe(topic: string): Promise<void> {
    // A connection that is being opened may be subscribing to it already.
    const leave = (client: RedisHandle) =>
      isSharded(client)
        ? client.sUnsubscribe([topic], this.#listen)
        : client.unsubscribe([topic], this.#listen)
    await this.#connection.run(leave).catch(() => {})
  }

  hears(): boolean {
    return this.#connection.isReady
  }

  /**
   * Unsubscribes, because another Redis of the cluster has the channel now. The former Redis has
   * ended sharded subscriptions already.
   */
  async leave(topic: string): Promise<void> {
    const leave = async (client: RedisHandle) => {
      if (!isSharded(client)) await client.unsubscribe([topic], this.#listen)
    }
    await this.#connection.run(leave).catch(() => {})
  }

  /** Replaces the connection by a new one. */
  renew(cause: Error): void {
    this.#connection.renew(cause)
  }

  async ping(): Promise<void> {
    await this.#connection.run((client) => client.sendCommand(['PING'])).catch(() => {})
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #subscribeAll(client: RedisHandle, topics: readonly string[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(topics.length / BATCH) }, (_, index) =>
      topics.slice(index * BATCH, (index + 1) * BATCH),
    )
    await Promise.all(batches.map((batch) => this.#subscribe(client, batch)))
  }

  async #subscribe(client: RedisHandle, topics: string[]): Promise<void> {
    if (!isSharded(client)) return client.subscribe(topics, this.#listen)
    // Sharded Redis channels of different slots cannot be in one command.
    await Promise.all(topics.map((topic) => client.sSubscribe([topic], this.#listen)))
  }
}

import { type ConnectionOwner, RedisConnection } from './redis-connection.js'
import type { RedisHandle } from './redis-handle.js'
import { isSharded } from './sharding.js'

/** What a {@link TopicSubscriber} tells. */
export interface SubscriptionListener {
  /** The Redis channels that are wanted: a new connection begins with these. */
  topics(): string[]
  /** A message came. */
  message(text: string, topic: string): void
  /** These are heard, for the first time or again. @param topics Redis channels. @default all that are wanted */
  ready(topics?: readonly string[]): void
}

/** What a {@link Subscriber} needs, beside what a connection does. */
export interface SubscriberOwner extends Omit<ConnectionOwner, 'ready'>, SubscriptionListener {
  /** A Redis of a cluster says that it no longer has a Redis channel. */
  moved?(topic: string): void
}

/** On which messages come. Each node is subscribed once to each Redis channel, whichever part wants it there. */
export interface TopicSubscriber {
  /** Harmless if it is subscribed to already. @throws RpcError `engine_unavailable` */
  subscribe(topic: string): Promise<void>
  /** Resolves when messages no longer come; a connection that is away will come back without it. */
  unsubscribe(topic: string): Promise<void>
  /** Whether the connection on which it is heard is there. */
  hears(topic: string): boolean
  /** Finds out whether the connection is alive; if not, it is made anew. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Redis channels of one SUBSCRIBE. */
const BATCH = 500

/** A connection to one Redis, on which messages come. */
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
    // One that is being made may be subscribing to it already.
    const leave = (client: RedisHandle) =>
      isSharded(client)
        ? client.sUnsubscribe([topic], this.#listen)
        : client.unsubscribe([topic], this.#listen)
    await this.#connection.run(leave).catch(() => {})
  }

  hears(): boolean {
    return this.#connection.isReady
  }

  /** Unsubscribes, as another Redis of the cluster has the channel now. A sharded one has been given up on the other side. */
  async leave(topic: string): Promise<void> {
    const leave = async (client: RedisHandle) => {
      if (!isSharded(client)) await client.unsubscribe([topic], this.#listen)
    }
    await this.#connection.run(leave).catch(() => {})
  }

  /** Gives the connection up for another one. */
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

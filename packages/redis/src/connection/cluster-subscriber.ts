import { Redirection } from './redirection.js'
import type { RedisCluster } from './redis-cluster.js'
import { askSharding } from './sharding.js'
import {
  Subscriber,
  type SubscriberOwner,
  type SubscriptionListener,
  type TopicSubscriber,
} from './subscriber.js'

/** Dependencies of a {@link ClusterSubscriber}. */
export interface ClusterSubscriberOwner
  extends SubscriptionListener,
    Pick<
      SubscriberOwner,
      'name' | 'commandTimeout' | 'connectTimeout' | 'logger' | 'throttledLog' | 'health' | 'refused'
    > {
  readonly cluster: RedisCluster
}

/** Attempts to find the primary of a Redis channel. */
const TRIES = 5

/**
 * Receives each Redis channel from the primary that has it, on one connection to each such primary.
 * When a channel moves to another primary it follows, and what was published meanwhile is read.
 */
export class ClusterSubscriber implements TopicSubscriber {
  readonly #owner: ClusterSubscriberOwner
  /** The subscribers, by address. */
  readonly #parts = new Map<string, Subscriber>()
  /** The address of each subscribed Redis channel. */
  readonly #places = new Map<string, string>()
  /** Channels that could not be followed: their primary is connected, but may not have them. */
  readonly #lost = new Set<string>()
  /** Channels whose primary no longer has them, until their new primary is known. */
  readonly #gone = new Set<string>()
  #isSearching = false
  #isClosed = false

  constructor(owner: ClusterSubscriberOwner) {
    this.#owner = owner
    owner.cluster.onChange(() => this.#sort())
  }

  async subscribe(topic: string): Promise<void> {
    if (!this.#places.has(topic)) {
      const { cluster, topics } = this.#owner
      const known = cluster.knownAddressOf(topic)
      const address = known ?? (await cluster.addressOf(topic))
      if (known === undefined && !topics().includes(topic)) return
      this.#places.set(topic, address)
    }
    await this.#join(topic)
  }

  async unsubscribe(topic: string): Promise<void> {
    const address = this.#places.get(topic)
    for (const topics of [this.#places, this.#lost, this.#gone]) topics.delete(topic)
    if (address !== undefined) await this.#parts.get(address)?.unsubscribe(topic)
  }

  hears(topic: string): boolean {
    const address = this.#places.get(topic)
    return address !== undefined && this.#parts.get(address)?.hears() === true
  }

  async ping(): Promise<void> {
    await Promise.all([...this.#parts.values()].map((part) => part.ping()))
    await Promise.all([...this.#lost].map((topic) => this.#rejoin(topic)))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#parts.values()].map((part) => part.close()))
  }

  async #join(topic: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const address = this.#places.get(topic)
      if (address === undefined || this.#isClosed) return
      try {
        return await this.#part(address).subscribe(topic)
      } catch (error) {
        const redirection = error instanceof Error ? Redirection.read(error.cause) : undefined
        if (!redirection || tries === TRIES) throw error
        // This changes its address, if it has moved.
        await this.#owner.cluster.follow(redirection)
      }
    }
  }

  async #rejoin(topic: string): Promise<void> {
    this.#lost.delete(topic)
    await this.#join(topic).catch(() => {
      if (this.#places.has(topic)) this.#lost.add(topic)
    })
  }

  #part(address: string): Subscriber {
    const known = this.#parts.get(address)
    if (known) return known
    const { cluster, name } = this.#owner
    const part = new Subscriber({
      ...this.#owner,
      name: `${name} ${address}`,
      open: cluster.opener(address),
      prepare: askSharding,
      topics: () => this.#topicsAt(address),
      ready: () => this.#owner.ready(this.#topicsAt(address)),
      moved: (topic) => this.#moved(topic),
    })
    this.#parts.set(address, part)
    return part
  }

  #topicsAt(address: string): string[] {
    return [...this.#places].flatMap(([topic, at]) => (at === address ? [topic] : []))
  }

  /**
   * The primary no longer sends a channel. If a slot moves, or all slots, many channels move at the
   * same time.
   */
  #moved(topic: string): void {
    if (!this.#places.has(topic)) return
    this.#gone.add(topic)
    if (!this.#isSearching) void this.#search()
  }

  async #search(): Promise<void> {
    this.#isSearching = true
    while (this.#gone.size > 0 && !this.#isClosed) {
      await this.#owner.cluster.look().catch(() => {})
      const topics = [...this.#gone]
      this.#gone.clear()
      await Promise.all(topics.map((topic) => this.#rejoin(topic)))
      this.#owner.ready(topics)
    }
    this.#isSearching = false
  }

  /**
   * Primaries have changed, and slots with them: subscribes to each channel at its present primary.
   */
  #sort(): void {
    const { cluster, topics } = this.#owner
    this.#forgetMasters()
    const moved = topics().flatMap((topic) => {
      const [from, to] = [this.#places.get(topic), cluster.knownAddressOf(topic)]
      return to === undefined || to === from ? [] : [{ topic, from, to }]
    })
    for (const { topic, to } of moved) this.#places.set(topic, to)
    if (moved.length === 0 || this.#isClosed) return
    const followed = moved.map(async ({ topic, from }) => {
      if (from !== undefined) await this.#parts.get(from)?.leave(topic)
      await this.#rejoin(topic)
      return topic
    })
    void Promise.all(followed).then((all) => this.#owner.ready(all))
  }

  /**
   * Closes the subscribers of former primaries. Their channels have no address until another
   * primary reports them.
   */
  #forgetMasters(): void {
    for (const [address, part] of this.#parts) {
      if (this.#owner.cluster.has(address)) continue
      for (const topic of this.#topicsAt(address)) this.#places.delete(topic)
      this.#parts.delete(address)
      void part.close()
    }
  }
}

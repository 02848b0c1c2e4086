import { type Client, Connection, type ConnectionOwner } from './connection.js'

/** What a {@link Subscriber} needs, beside what a connection does. */
export interface SubscriberOwner extends Omit<ConnectionOwner, 'name' | 'prepare'> {
  /** The Redis channels that are wanted: a new connection begins with these. */
  topics(): string[]
  /** A message came. */
  message(text: string, topic: string): void
}

/** Redis channels of one SUBSCRIBE. */
const BATCH = 500

/** The connection on which messages come. Each node is subscribed once to each Redis channel, whoever wants it there. */
export class Subscriber {
  readonly #connection: Connection
  readonly #listen: (text: string, topic: string) => void

  constructor(owner: SubscriberOwner) {
    this.#listen = (text, topic) => owner.message(text, topic)
    this.#connection = new Connection({
      ...owner,
      name: 'subscriber',
      prepare: (client) => this.#subscribeAll(client, owner.topics()),
    })
  }

  /** Harmless if it is subscribed to already. @throws RpcError `engine_unavailable` */
  subscribe(topic: string): Promise<void> {
    return this.#connection.run((client) => client.subscribe([topic], this.#listen))
  }

  /** Resolves when no more messages come; a connection that is away will come back without it. */
  async unsubscribe(topic: string): Promise<void> {
    if (!this.#connection.isReady) return
    await this.#connection.run((client) => client.unsubscribe([topic], this.#listen)).catch(() => {})
  }

  /** Finds out whether the connection is alive; if not, it is made anew. */
  async ping(): Promise<void> {
    await this.#connection.run((client) => client.sendCommand(['PING'])).catch(() => {})
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #subscribeAll(client: Client, topics: readonly string[]): Promise<void> {
    const batches = Array.from({ length: Math.ceil(topics.length / BATCH) }, (_, index) =>
      topics.slice(index * BATCH, (index + 1) * BATCH),
    )
    await Promise.all(batches.map((batch) => client.subscribe(batch, this.#listen)))
  }
}

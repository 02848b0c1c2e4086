import { decodeData, encodeData } from '@token-socket/protocol'
import type { Broker, BrokerListener, EventIds } from '@token-socket/server'
import type { Complaints } from './complaints.js'
import type { Hearing, TopicSubscriber } from './subscriber.js'

/** The Redis channel by which programs of the legacy server publish on every channel. */
const ALL = '___all___'

/** Which channels of Redis are heard: their names, or a function that chooses. */
export type LegacyChannelChoice = readonly string[] | ((channel: string) => boolean)

/** Dependencies of a {@link LegacyBroker}. */
export interface LegacyBrokerOwner {
  readonly broker: Broker
  readonly choice: LegacyChannelChoice
  /** What the names of the engine's own Redis channels begin with. */
  readonly prefix: string
  readonly ids: EventIds
  readonly complaints: Complaints
  /** Opens what messages come on. */
  listen(hearing: Hearing): TopicSubscriber
}

/**
 * A broker that also hears what other programs publish straight to Redis, as they did with the
 * legacy server: on the Redis channel of a channel's own name, as JSON or as a text. Each node
 * hears it for itself, so it has no offset, and is neither kept nor made good after a loss.
 */
export class LegacyBroker implements Broker {
  readonly #owner: LegacyBrokerOwner
  readonly #subscriber: TopicSubscriber
  readonly #topics = new Set<string>()
  #listener: BrokerListener | undefined

  constructor(owner: LegacyBrokerOwner) {
    this.#owner = owner
    if (this.#isChosen(ALL)) this.#topics.add(ALL)
    this.#subscriber = owner.listen({
      topics: () => [...this.#topics],
      message: (text, topic) => this.#hear(text, topic),
      ready: () => {},
    })
  }

  listen(listener: BrokerListener): void {
    this.#listener = listener
    this.#owner.broker.listen(listener)
  }

  async subscribe(channel: string): Promise<void> {
    await this.#owner.broker.subscribe(channel)
    if (channel === ALL || !this.#isChosen(channel)) return
    this.#topics.add(channel)
    await this.#subscriber.subscribe(channel).catch(async (error) => {
      await this.unsubscribe(channel)
      throw error
    })
  }

  async unsubscribe(channel: string): Promise<void> {
    const isHeard = channel !== ALL && this.#topics.delete(channel)
    await Promise.all([
      this.#owner.broker.unsubscribe(channel),
      isHeard ? this.#subscriber.unsubscribe(channel) : undefined,
    ])
  }

  publish(...publication: Parameters<Broker['publish']>): ReturnType<Broker['publish']> {
    return this.#owner.broker.publish(...publication)
  }

  broadcast(json: string): Promise<void> {
    return this.#owner.broker.broadcast(json)
  }

  command(...command: Parameters<Broker['command']>): Promise<void> {
    return this.#owner.broker.command(...command)
  }

  /** Finds out whether its connection is alive. */
  ping(): Promise<void> {
    return this.#subscriber.ping()
  }

  close(): Promise<void> {
    return this.#subscriber.close()
  }

  /** The engine's own Redis channels, and those of Redis itself, are no channels of clients. */
  #isChosen(channel: string): boolean {
    const { choice, prefix } = this.#owner
    if (channel !== ALL && (channel.startsWith('__') || channel.startsWith(`${prefix}{`))) return false
    if (typeof choice !== 'function') return choice.includes(channel)
    try {
      return choice(channel) === true
    } catch (err) {
      this.#owner.complaints.make('legacyChannels threw', { err, channel })
      return false
    }
  }

  #hear(text: string, topic: string): void {
    try {
      const json = jsonOf(text)
      if (topic === ALL) this.#listener?.broadcast(json)
      else this.#listener?.publication({ channel: topic, json, id: this.#owner.ids.next() })
    } catch (err) {
      this.#owner.complaints.make('a message of another program could not be delivered', { err, topic })
    }
  }
}

/**
 * As the legacy server read it: what is no JSON is a text. It is written anew, as line breaks
 * would end a message.
 */
function jsonOf(text: string): string {
  let data: unknown
  try {
    data = decodeData(text)
  } catch {
    data = text
  }
  return encodeData(data)
}

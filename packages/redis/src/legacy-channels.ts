import { createHash } from 'node:crypto'
import { decodeData, encodeData } from '@token-socket/protocol'
import type { Broker, BrokerListener, EventIds } from '@token-socket/server/engine'
import type { Commands } from './connection/commands.js'
import type { SubscriptionListener, TopicSubscriber } from './connection/subscriber.js'
import type { ThrottledLog } from './connection/throttled-log.js'

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
  readonly throttledLog: ThrottledLog
  readonly commands: Pick<Commands, 'publish'>
  /** Opens what messages come on. */
  listen(hearing: SubscriptionListener): TopicSubscriber
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
  /** What the messages of this application's nodes to other programs end with. */
  readonly #mark: string
  #listener: BrokerListener | undefined

  constructor(owner: LegacyBrokerOwner) {
    this.#owner = owner
    this.#mark = markOf(owner.prefix)
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

  /** See {@link RedisEngine.publishLegacy}. */
  async publishOut(channel: string | undefined, data: unknown): Promise<boolean> {
    // A channel whose name is that of all is not all of them.
    if (channel === ALL || !this.#isChosen(channel ?? ALL)) return false
    await this.#owner.commands.publish(channel ?? ALL, encodeData(data) + this.#mark)
    return true
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
      const answer: unknown = choice(channel)
      if (typeof answer === 'boolean') return answer
      // It may be a promise, which would be true whatever it brings.
      Promise.resolve(answer).catch(() => {})
      this.#owner.throttledLog.warn('legacyChannels has to return true or false', { channel })
      return false
    } catch (err) {
      this.#owner.throttledLog.warn('legacyChannels threw', { err, channel })
      return false
    }
  }

  /** What a node of this application has sent has come by the engine, too. */
  #hear(text: string, topic: string): void {
    if (text.endsWith(this.#mark)) return
    try {
      const json = jsonOf(text)
      if (topic === ALL) this.#listener?.broadcast(json)
      else this.#listener?.publication({ channel: topic, json, id: this.#owner.ids.next() })
    } catch (err) {
      this.#owner.throttledLog.warn('a message of another program could not be delivered', { err, topic })
    }
  }
}

/** Blanks and tabs of a {@link markOf}: other texts do not end so by chance. */
const MARK_BITS = 32

/**
 * The mark of an application, of blanks and tabs: `JSON.parse`, and so the legacy server, ignores
 * what is behind the value. Nodes of one application have the same prefix.
 */
function markOf(prefix: string): string {
  const hash = createHash('sha256').update('token-socket legacy').update(prefix).digest().readUInt32BE()
  const bits = hash.toString(2).padStart(MARK_BITS, '0')
  return bits.replaceAll('0', ' ').replaceAll('1', '\t')
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

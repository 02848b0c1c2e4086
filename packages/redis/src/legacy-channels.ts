import { createHash } from 'node:crypto'
import { decodeData, encodeData } from '@token-socket/protocol'
import type { Broker, BrokerListener, EventIds } from '@token-socket/server/engine'
import type { Commands } from './connection/commands.js'
import type { SubscriptionListener, TopicSubscriber } from './connection/subscriber.js'
import type { ThrottledLog } from './connection/throttled-log.js'

/** The Redis channel by which programs of the legacy server publish on every channel. */
const ALL = '___all___'

/** The Redis channels to receive: their names, or a function that selects them. */
export type LegacyChannelChoice = readonly string[] | ((channel: string) => boolean)

/** Dependencies of a {@link LegacyBroker}. */
export interface LegacyBrokerOwner {
  readonly broker: Broker
  readonly choice: LegacyChannelChoice
  /** The prefix of the engine's own Redis channels. */
  readonly prefix: string
  readonly ids: EventIds
  readonly throttledLog: ThrottledLog
  readonly commands: Pick<Commands, 'publish'>
  /** Opens the connection that receives messages. */
  listen(hearing: SubscriptionListener): TopicSubscriber
}

/**
 * A broker that also receives what other programs publish directly to Redis, as with the legacy
 * server: on the Redis channel with the channel's name, as JSON or as a text. Each node receives it
 * separately. So it has no offset, and is neither kept nor recovered after a loss.
 */
export class LegacyBroker implements Broker {
  readonly #owner: LegacyBrokerOwner
  readonly #subscriber: TopicSubscriber
  readonly #topics = new Set<string>()
  /** The suffix of messages from this application's nodes to other programs. */
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
    // A channel that has this name is not the Redis channel for all channels.
    if (channel === ALL || !this.#isChosen(channel ?? ALL)) return false
    await this.#owner.commands.publish(channel ?? ALL, encodeData(data) + this.#mark)
    return true
  }

  command(...command: Parameters<Broker['command']>): Promise<void> {
    return this.#owner.broker.command(...command)
  }

  /** Checks whether its connection is alive. */
  ping(): Promise<void> {
    return this.#subscriber.ping()
  }

  close(): Promise<void> {
    return this.#subscriber.close()
  }

  /** The engine's own Redis channels, and those of Redis itself, are not channels of clients. */
  #isChosen(channel: string): boolean {
    const { choice, prefix } = this.#owner
    if (channel !== ALL && (channel.startsWith('__') || channel.startsWith(`${prefix}{`))) return false
    if (typeof choice !== 'function') return choice.includes(channel)
    try {
      const answer: unknown = choice(channel)
      if (typeof answer === 'boolean') return answer
      // The answer may be a promise, which is truthy whatever it resolves with.
      Promise.resolve(answer).catch(() => {})
      this.#owner.throttledLog.warn('legacyChannels has to return true or false', { channel })
      return false
    } catch (err) {
      this.#owner.throttledLog.warn('legacyChannels threw', { err, channel })
      return false
    }
  }

  /** A message from a node of this application also arrives by the engine. */
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

/** Blanks and tabs of a {@link markOf}: other texts do not end like this by accident. */
const MARK_BITS = 32

/**
 * Returns the mark of an application, made of blanks and tabs. `JSON.parse`, and so the legacy
 * server, ignores white space after the value. Nodes of one application have the same prefix.
 */
function markOf(prefix: string): string {
  const hash = createHash('sha256').update('token-socket legacy').update(prefix).digest().readUInt32BE()
  const bits = hash.toString(2).padStart(MARK_BITS, '0')
  return bits.replaceAll('0', ' ').replaceAll('1', '\t')
}

/**
 * Reads a message as the legacy server did: anything but JSON is a text. It is encoded again,
 * because line breaks would end a message.
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

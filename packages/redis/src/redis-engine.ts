import { markHandled } from '@token-socket/protocol'
import {
  type Broker,
  badOption,
  type Engine,
  EventIds,
  type Health,
  HealthMonitor,
  type History,
  type Nodes,
  type Presence,
  type Rates,
  type Tickets,
} from '@token-socket/server/engine'
import { ClusterSubscriber } from './connection/cluster-subscriber.js'
import { Commands } from './connection/commands.js'
import { OnePrimary, type Primaries, type Primary } from './connection/primaries.js'
import { RedisCluster } from './connection/redis-cluster.js'
import { type RedisHandle, type RedisSource, sourceOf } from './connection/redis-handle.js'
import { SentinelMaster } from './connection/sentinel-primary.js'
import { Subscriber, type SubscriptionListener, type TopicSubscriber } from './connection/subscriber.js'
import { ThrottledLog } from './connection/throttled-log.js'
import { KEY_OWNER_SCRIPTS } from './key-owners.js'
import { LegacyBroker } from './legacy-channels.js'
import { LogReader } from './log-reader.js'
import { type RedisEngineOptions, type ResolvedOptions, resolveOptions } from './options.js'
import { RedisBroker } from './redis-broker.js'
import { RedisClock } from './redis-clock.js'
import { RedisHistory } from './redis-history.js'
import { RedisNodes } from './redis-nodes.js'
import { RedisPresence } from './redis-presence.js'
import { RATE_SCRIPTS, RedisRates } from './redis-rates.js'
import { RedisTickets, TICKET_SCRIPTS } from './redis-tickets.js'
import { Keys } from './scripts/keys.js'
import { FOLLOW, PUBLISH, READ } from './scripts/log-scripts.js'
import { LIVE } from './scripts/node-scripts.js'
import { ENTER, LEAVE, MEMBERS, RENEW } from './scripts/presence-scripts.js'
import { StoreId } from './store-id.js'
import { WriteProbe } from './write-probe.js'

const SCRIPTS = [
  PUBLISH,
  FOLLOW,
  READ,
  ENTER,
  LEAVE,
  RENEW,
  MEMBERS,
  LIVE,
  ...TICKET_SCRIPTS,
  ...KEY_OWNER_SCRIPTS,
  ...RATE_SCRIPTS,
]

/**
 * Creates an engine for many nodes, on Redis. It connects automatically, at once and after each
 * loss of the connection.
 * @throws RpcError `bad_option`
 */
export function redisEngine(options: RedisEngineOptions = {}): RedisEngine {
  return new RedisEngine(options)
}

/**
 * The engine of one node of many, which share their state through Redis. While Redis is away every
 * operation fails with `engine_unavailable`. When Redis is back, the node receives the kept
 * publications of the meantime in order, and its presence entries are restored.
 */
export class RedisEngine implements Engine {
  readonly name = 'redis'
  readonly shared = true
  readonly broker: Broker
  readonly history: History
  readonly tickets: Tickets
  readonly presence: Presence
  readonly nodes: Nodes
  readonly rates: Rates
  readonly health: Health
  readonly #broker: RedisBroker
  readonly #nodes: RedisNodes
  readonly #presence: RedisPresence
  /** Receives messages of other programs, if the application enables this. */
  readonly #legacy: LegacyBroker | undefined
  readonly #primaries: Primaries
  readonly #unclosed: (cause: unknown) => void

  /** @throws RpcError `bad_option` */
  constructor(options: RedisEngineOptions = {}) {
    const settings = resolveOptions(options)
    const source = sourceOf(settings)
    const keys = new Keys(settings.prefix, source.database)
    const clock = new RedisClock()
    const runOf = (key: string) => this.#primaries.primaryOf(key)?.run ?? ''
    const store = new StoreId({ key: keys.store, clock, runOf })
    const throttledLog = new ThrottledLog(settings.logger)
    this.#unclosed = (err) => throttledLog.warn('a part of the engine could not be closed', { err })
    const health = new HealthMonitor()
    const probe = new WriteProbe(keys.probe, health)
    const refused = (cause: unknown) => probe.report(cause)
    this.health = health
    const network = { ...settings, throttledLog, health, refused, source }
    this.#primaries = this.#connect(network, keys, { clock, store, probe })
    const commands = new Commands(this.#primaries)
    const logs = new LogReader(commands, store)
    const shared = { commands, logs, keys, store, throttledLog, ids: new EventIds(() => clock.now()) }
    const tick = async () => {
      await Promise.all([this.#primaries.check(), this.#legacy?.ping()])
      await this.#primaries.run(keys.store, (client) => refresh(client, { clock, store }))
      // Sequential: a part that detects a replica by this replaces its connection by one to a
      // primary.
      await probe.check((name = '', key = '', ...rest) => commands.send(name, key, ...rest))
    }
    this.#nodes = new RedisNodes({ ...shared, ...settings })
    this.nodes = this.#nodes
    const listen = this.#listenBy({ ...network, name: 'subscriber' })
    this.#broker = new RedisBroker({ ...shared, ...settings, tick, listen, nodes: this.#nodes })
    const { legacyChannels: choice } = settings
    const listenToOthers = this.#listenBy({ ...network, name: 'legacy' })
    const legacy = { ...shared, broker: this.#broker, prefix: settings.prefix, listen: listenToOthers }
    this.#legacy = choice && new LegacyBroker({ ...legacy, choice })
    this.broker = this.#legacy ?? this.#broker
    this.history = new RedisHistory(logs, keys)
    this.rates = new RedisRates(commands, keys)
    this.tickets = new RedisTickets(commands, keys, settings.tickets)
    this.#presence = new RedisPresence({ ...shared, ...settings, watched: () => this.#broker.watched })
    this.presence = this.#presence
  }

  /**
   * Resolves when it is connected, receives the messages of other nodes, and they know it. @throws
   * RpcError `engine_unavailable`
   */
  ready(): Promise<void> {
    return markHandled(Promise.all([this.#broker.ready(), this.nodes.list()]).then(() => {}))
  }

  /**
   * Publishes to programs that read Redis channels as with the legacy server: as JSON, on the Redis
   * channel with the channel's name. It never publishes on channels that `legacyChannels` does not
   * select, or on names that begin with two underscores. Nodes with this engine's prefix ignore the
   * message, because their clients have received the publication already.
   * @param channel `undefined` for a broadcast, which `'___all___'` in `legacyChannels` allows
   * @returns whether it was sent
   * @throws RpcError `bad_option` without `legacyChannels`, `unserializable`, `engine_unavailable`
   */
  async publishLegacy(channel: string | undefined, data: unknown): Promise<boolean> {
    if (!this.#legacy) throw badOption('legacyChannels', 'has to be given: it says which channels are shared')
    return this.#legacy.publishOut(channel, data)
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#presence.close()
    // If one cannot be closed properly, the others still are.
    for (const part of [this.#nodes, this.#legacy, this.#broker, this.#primaries])
      await part?.close().catch(this.#unclosed)
  }

  #connect(network: Network, keys: Keys, known: Known): Primaries {
    const owner = {
      ...network,
      name: 'command',
      scripts: SCRIPTS,
      learn: async (client: RedisHandle, primary: Primary) => {
        // In a cluster, one primary provides the time and the name for all.
        const first = this.#primaries?.primaryOf(keys.store) ?? primary
        if (first !== primary) return
        await Promise.all([refresh(client, known), known.probe.check((...args) => client.sendCommand(args))])
      },
      ready: () => {
        this.#broker.restore()
        void this.#presence.restore()
        this.#nodes.restore()
      },
    }
    const { source } = network
    if (source.kind === 'cluster') return new RedisCluster({ ...owner, source })
    if (source.kind === 'sentinel') return new SentinelMaster({ ...owner, source })
    return new OnePrimary({ ...owner, isCluster: false, isReplaceable: false, open: () => source.open() })
  }

  #listenBy(network: Network & { readonly name: string }) {
    return (hearing: SubscriptionListener) => this.#listen(network, hearing)
  }

  #listen(network: Network & { readonly name: string }, hearing: SubscriptionListener): TopicSubscriber {
    const owner = { ...network, ...hearing }
    const { source } = network
    const primaries = this.#primaries
    if (primaries instanceof RedisCluster) return new ClusterSubscriber({ ...owner, cluster: primaries })
    const open = async () => {
      if (source.kind === 'cluster') throw new Error('each of its primaries has a subscriber')
      return source.open()
    }
    const subscriber = new Subscriber({ ...owner, prepare: async () => {}, open })
    if (primaries instanceof SentinelMaster)
      primaries.onChange(() => subscriber.renew(new Error('there is another primary')))
    return subscriber
  }
}

/** Data read from Redis. */
interface Known {
  readonly clock: RedisClock
  readonly store: StoreId
  readonly probe: WriteProbe
}

/** Dependencies of connections. */
interface Network extends ResolvedOptions {
  readonly throttledLog: ThrottledLog
  readonly health: HealthMonitor
  readonly source: RedisSource
  /** Redis or the network reported a failure. */
  refused(cause: unknown): void
}

async function refresh(client: RedisHandle, { clock, store }: Omit<Known, 'probe'>): Promise<void> {
  clock.set((await client.sendCommand(['TIME'])) as string[])
  await store.refresh((...args) => client.sendCommand(args))
}

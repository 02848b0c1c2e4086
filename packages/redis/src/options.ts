import {
  badOption,
  checkNumber,
  checkOptions,
  checkWait,
  consoleLogger,
  type Logger,
  safeLogger,
  warnOfUnknown,
} from '@token-socket/server/engine'
import { checkWays, warnOfSettings } from './connection/given-settings.js'
import {
  type ClusterSettings,
  type RedisClientSource,
  type SentinelSettings,
  type StandaloneSettings,
  tried,
} from './connection/redis-handle.js'
import type { LegacyChannelChoice } from './legacy-channels.js'

/**
 * Settings of a {@link RedisEngine}. All nodes of one application have the same `url` and `prefix`.
 */
export interface RedisEngineOptions {
  /**
   * The address of Redis: `redis[s]://[[user][:password]@]host[:port][/database]`, or
   * `unix://[user:password@]/path[?db=database]`.
   * @default 'redis://localhost:6379'
   */
  readonly url?: string | undefined
  /**
   * Settings of one Redis, as `createClient` of the package `redis` 6 takes them, instead of `url`:
   * `{ socket: { host, port, tls, ca }, username, password, database }`.
   * @default settings made of `url`
   */
  readonly standalone?: StandaloneSettings | undefined
  /**
   * Settings of a Redis Cluster, as `createCluster` of the package `redis` 6 takes them, instead of
   * `url`: `{ rootNodes: [{ url }], defaults: { username, password } }`.
   * @default none
   */
  readonly cluster?: ClusterSettings | undefined
  /**
   * Settings of a primary that sentinels name, as `createSentinel` of the package `redis` 6 takes
   * them, instead of `url`: `{ name, sentinelRootNodes: [{ host, port }], nodeClientOptions }`.
   * @default none
   */
  readonly sentinel?: SentinelSettings | undefined
  /**
   * A client of `createClient` of the package `redis` 6, instead of `url`. The engine uses its
   * settings for connections of its own. The client need not be connected, and is not changed.
   * Clusters, sentinels, other versions and ioredis are refused with `bad_option`.
   * @default none
   */
  readonly client?: RedisClientSource | undefined
  /** The prefix of all keys and Redis channels, without `{}`. @default 'token-socket:' */
  readonly prefix?: string | undefined
  /**
   * Milliseconds in which Redis has to answer. Otherwise the operation fails with
   * `engine_unavailable`. @default 5000
   */
  readonly commandTimeout?: number | undefined
  /** Milliseconds that connecting may take. @default 5000 */
  readonly connectTimeout?: number | undefined
  /**
   * Milliseconds between two checks for publications that this node has missed, and between two
   * tests of the connections. @default 5000
   */
  readonly checkInterval?: number | undefined
  /**
   * Milliseconds for which a node's presence entries are valid. The node renews them three times in
   * that time. The entries of a dead node are removed after this time and a third of it. @default
   * 10000
   */
  readonly lease?: number | undefined
  /**
   * How many publications may wait while Redis is away. A further one fails with `queue_full`. They
   * are sent in order when Redis is back, each under a key of its own, so that none is published
   * twice. With 0 none waits, and each fails at once. @default 0
   */
  readonly waitingPublications?: number | undefined
  /**
   * Milliseconds that a publication may wait. Then it fails with `engine_unavailable`. @default
   * 10000
   */
  readonly waitingTime?: number | undefined
  /** Unused tickets on all nodes together. @default 100000 */
  readonly tickets?: number | undefined
  /**
   * Channels that other programs publish on directly, as with the legacy server: by `PUBLISH` on
   * the Redis channel of the same name, with JSON or a text. It is a list of names, which may
   * contain `'___all___'` for every channel, or a function that returns `true` for them. Such
   * messages are neither kept nor recovered after a loss. Not on a cluster.
   * @default none
   */
  readonly legacyChannels?: LegacyChannelChoice | undefined
  /**
   * Receives lines about lost connections, refusals of Redis, and messages of other programs.
   * @default the console
   */
  readonly logger?: Pick<Logger, 'info' | 'warn'> | undefined
}

type Given<Options> = { readonly [Name in keyof Options]: Exclude<Options[Name], undefined> }

/** Options with the address of Redis, instead of `url`. */
type Ways = 'client' | 'standalone' | 'cluster' | 'sentinel'

/** Options without a default. */
type Optional = Ways | 'legacyChannels'

/** {@link RedisEngineOptions} with their defaults. */
export interface ResolvedOptions
  extends Required<Given<Omit<RedisEngineOptions, Optional>>>,
    Pick<RedisEngineOptions, Optional> {}

const DEFAULTS = {
  url: 'redis://localhost:6379',
  standalone: undefined,
  cluster: undefined,
  sentinel: undefined,
  client: undefined,
  prefix: 'token-socket:',
  commandTimeout: 5000,
  connectTimeout: 5000,
  checkInterval: 5000,
  lease: 10_000,
  waitingPublications: 0,
  waitingTime: 10_000,
  tickets: 100_000,
  legacyChannels: undefined,
}

const TIMES = ['commandTimeout', 'connectTimeout', 'checkInterval', 'lease', 'waitingTime'] as const

/** @throws RpcError `bad_option`, naming the option */
export function resolveOptions(options: RedisEngineOptions): ResolvedOptions {
  checkOptions(options)
  checkWays(options, tried)
  const defaults = { ...DEFAULTS, logger: consoleLogger(false) }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const resolved: ResolvedOptions = { ...defaults, ...given }
  for (const name of TIMES) {
    checkNumber(name, resolved[name])
    checkWait(name, resolved[name])
  }
  checkNumber('tickets', resolved.tickets)
  const { waitingPublications } = resolved
  if (waitingPublications !== 0) checkNumber('waitingPublications', waitingPublications)
  checkSource(resolved)
  checkLegacyChannels(resolved)
  checkLogger(resolved.logger)
  const logger = safeLogger(resolved.logger)
  warnOfUnknown(logger, { options, known: Object.keys(defaults) })
  warnOfSettings(logger, options)
  return { ...resolved, logger }
}

function checkSource({ url, prefix }: ResolvedOptions): void {
  if (typeof url !== 'string' || url === '')
    throw badOption('url', 'has to be one such as redis://localhost:6379')
  // With empty braces the keys of one channel would not be in one slot of a cluster.
  if (typeof prefix !== 'string' || prefix.includes('{}'))
    throw badOption('prefix', 'has to be a string without an empty pair of braces')
}

function checkLegacyChannels({ legacyChannels: choice, cluster }: ResolvedOptions): void {
  if (choice === undefined) return
  const isList = Array.isArray(choice) && choice.every((name) => typeof name === 'string' && name !== '')
  if (!isList && typeof choice !== 'function')
    throw badOption('legacyChannels', 'has to be a list of names of channels, or a function')
  if (cluster) throw badOption('legacyChannels', 'cannot be given on a cluster')
}

function checkLogger(logger: Partial<ResolvedOptions['logger']>): void {
  if (typeof logger?.info !== 'function' || typeof logger.warn !== 'function')
    throw badOption('logger', 'has to have the functions info and warn')
}

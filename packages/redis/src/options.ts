import { RpcError } from '@token-socket/protocol'
import type { Logger } from '@token-socket/server'
import type { RedisClientSource } from './client.js'

/** Settings of a {@link RedisEngine}. All nodes of one application have the same `url` and `prefix`. */
export interface RedisEngineOptions {
  /** Where Redis is: `redis[s]://[[user][:password]@]host[:port][/database]`. @default 'redis://localhost:6379' */
  readonly url?: string
  /**
   * A client of the package `redis`, made by `createClient`, `createCluster` or `createSentinel`, instead of `url`: its
   * settings are taken, for connections of the engine's own. The client itself need not be connected and is not touched.
   * @default a client made of `url`
   */
  readonly client?: RedisClientSource
  /** What the names of all keys and Redis channels begin with; `{}` cannot be in it. @default 'token-socket:' */
  readonly prefix?: string
  /** Milliseconds in which Redis has to answer, or the operation fails with `engine_unavailable`. @default 5000 */
  readonly commandTimeout?: number
  /** Milliseconds that it may take to connect. @default 5000 */
  readonly connectTimeout?: number
  /**
   * Milliseconds between two looks at whether a channel has moved on without this node hearing of it; as often the
   * connections are tried. @default 5000
   */
  readonly checkInterval?: number
  /**
   * Milliseconds that a node's places on channels last; they are renewed three times in that time. When a node dies, its
   * members are gone after this time and a third. @default 10000
   */
  readonly lease?: number
  /**
   * How many publications may wait while Redis is away; one more fails with `queue_full`. They are sent in order when it
   * is back, each under a key of its own, so that none is made twice. With 0 none waits: it fails at once. @default 0
   */
  readonly waitingPublications?: number
  /** Milliseconds that a publication may wait; then it fails with `engine_unavailable`. @default 10000 */
  readonly waitingTime?: number
  /** How many tickets may wait to be used, on all nodes together. @default 100000 */
  readonly tickets?: number
  /** Who is told of lost connections, of what Redis refuses and of messages that are not ours. @default the console */
  readonly logger?: Pick<Logger, 'info' | 'warn'>
}

/** {@link RedisEngineOptions} with their defaults. */
export interface ResolvedOptions extends Required<Omit<RedisEngineOptions, 'client'>> {
  /** The application's own client; without one, a client is made of `url`. @default undefined */
  readonly client: RedisClientSource | undefined
}

/** @throws RpcError `bad_option`, naming the option */
export function resolveOptions(options: RedisEngineOptions): ResolvedOptions {
  const resolved: ResolvedOptions = {
    url: options.url ?? 'redis://localhost:6379',
    client: options.client,
    prefix: options.prefix ?? 'token-socket:',
    commandTimeout: options.commandTimeout ?? 5000,
    connectTimeout: options.connectTimeout ?? 5000,
    checkInterval: options.checkInterval ?? 5000,
    lease: options.lease ?? 10_000,
    waitingPublications: options.waitingPublications ?? 0,
    waitingTime: options.waitingTime ?? 10_000,
    tickets: options.tickets ?? 100_000,
    logger: options.logger ?? consoleLogger,
  }
  for (const name of [
    'commandTimeout',
    'connectTimeout',
    'checkInterval',
    'lease',
    'waitingTime',
    'tickets',
  ] as const) {
    if (!(resolved[name] > 0)) throw badOption(name, 'has to be a number above 0')
  }
  // The keys of one channel would not be together in a cluster.
  if (resolved.prefix.includes('{}')) throw badOption('prefix', 'cannot hold an empty pair of braces')
  if (!(resolved.waitingPublications >= 0))
    throw badOption('waitingPublications', 'has to be a number, 0 or above')
  if (options.client && options.url !== undefined) throw badOption('url', 'cannot be given beside a client')
  return resolved
}

const consoleLogger: Pick<Logger, 'info' | 'warn'> = {
  info: () => {},
  // The console takes `%s` and its like for places of the details.
  warn: (details, message) => console.warn(`TokenSocket: ${message.replaceAll('%', '%%')}`, details),
}

function badOption(field: string, why: string): RpcError {
  return new RpcError('bad_option', `Invalid option: ${field} ${why}`, { field })
}

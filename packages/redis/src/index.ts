/**
 * An engine for TokenSocket on Redis, for many nodes.
 *
 * @module @token-socket/redis
 */
export type {
  ClusterSettings,
  RedisClientSource,
  SentinelSettings,
  StandaloneSettings,
} from './connection/redis-handle.js'
export type { LegacyChannelChoice } from './legacy-channels.js'
export type { RedisEngineOptions } from './options.js'
export { RedisEngine, redisEngine } from './redis-engine.js'

/**
 * An engine for TokenSocket that survives restarts.
 *
 * @module @token-socket/lmdb
 */
export { LmdbEngine, type LmdbEngineOptions, lmdbEngine } from './lmdb-engine.js'

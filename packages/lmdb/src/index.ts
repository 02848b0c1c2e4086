/** An engine for TokenSocket that survives restarts. */
export { LmdbEngine, type LmdbEngineOptions, lmdbEngine } from './lmdb-engine.js'

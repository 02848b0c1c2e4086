/**
 * The tests of what every engine promises. `docs/ENGINES.md` says how to use them.
 *
 * @module @token-socket/engine-tests
 */
export { engineContract } from './engine-contract.js'
export { NAMES } from './names.js'
export type { CreateNodes, EngineClock, EngineLimits, EngineSettings } from './settings.js'

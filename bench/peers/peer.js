/**
 * Calls `echo` on one client, and hands on the answer.
 * @typedef {(data: object, done: (data: any) => void) => void} Caller
 */

/**
 * A server under test. It has the functions `echo` and `publish` (see publish-all.js), and a channel, `news`.
 * @typedef {object} Peer
 * @property {() => Caller[]} [callers] one for each client
 * @property {() => string[]} [sids] the ids of this node's clients
 * @property {(sids: readonly string[]) => Caller[]} [remoteCallers] one for each of these clients of another node
 * @property {() => number} [connections] how many there are
 */

/**
 * What `start` of each peer gets.
 * @typedef {object} PeerOptions
 * @property {import('node:http').Server} server not listening yet
 * @property {number} redisPort
 */

/** Milliseconds that a call to a client of another node may take. */
export const CALL_TIMEOUT = 5000

/** What answers a call of the server wrongly ends the bench. */
export function failed(error) {
  throw error instanceof Error ? error : new Error(`a call of the server failed: ${JSON.stringify(error)}`)
}

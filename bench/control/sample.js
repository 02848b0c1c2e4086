/**
 * What one run of a workload against a peer gave.
 * @typedef {object} Sample
 * @property {number | null} cpuMicros the server's CPU time for one operation
 * @property {number | null} opsPerSecond
 * @property {number | null} serverBusy how much of a core the server took meanwhile
 * @property {number | null} loaderBusy how much the loader did
 * @property {number | null} p50Ms
 * @property {number | null} p99Ms
 * @property {number | null} bytes of a connection
 * @property {number | null} heapBytes the part of them in JavaScript's heap and buffers
 * @property {number} [deliveries] of one publication that went to everybody
 * @property {number} [fanoutMs] until the last of them was there
 * @property {number} [freeP99Ms] the p99 without a reader that has stopped reading
 * @property {number} [growth] bytes that the server's memory grew more with it, at the most
 * @property {number} [isClosed] whether the server has closed it
 * @property {number} [redisCpuMicros] Redis's CPU time for one operation
 * @property {number} [redisCommands] commands that the nodes sent to Redis for one operation
 * @property {number} [redisScripted] commands that scripts gave in Redis for one operation
 */

/** A sample of which nothing is known yet. @type {Sample} */
export const NOTHING = {
  cpuMicros: null,
  opsPerSecond: null,
  serverBusy: null,
  loaderBusy: null,
  p50Ms: null,
  p99Ms: null,
  bytes: null,
  heapBytes: null,
}

/**
 * @param {readonly (number | null)[]} values
 * @returns {number | null} of those that are there
 */
export function median(values) {
  const sorted = values.filter((value) => value !== null && value !== undefined).sort((a, b) => a - b)
  if (sorted.length === 0) return null
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** What is compared: a connection's bytes, or the server's CPU time for one operation. Less is better. */
export function costOf({ cpuMicros, bytes }) {
  return cpuMicros ?? bytes
}

const MEASURED = [
  'cpuMicros',
  'opsPerSecond',
  'serverBusy',
  'loaderBusy',
  'p50Ms',
  'p99Ms',
  'bytes',
  'heapBytes',
  'deliveries',
  'fanoutMs',
  'freeP99Ms',
  'growth',
  'isClosed',
  'redisCpuMicros',
  'redisCommands',
  'redisScripted',
]

/**
 * @param {readonly import('./rounds.js').Row[]} rows of one workload
 * @param {(peer: string) => string} ours the one of ours that a peer is compared with
 * @returns {(import('./measure.js').Sample & { peer: string, lowest: number, highest: number, ratio: number | null })[]}
 *   medians, the range of their cost, and our cost divided by each peer's
 */
export function summarise(rows, ours) {
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const medians = peers.map((peer) => {
    const own = rows.filter((row) => row.peer === peer)
    const costs = own.map(costOf)
    const values = Object.fromEntries(MEASURED.map((name) => [name, median(own.map((row) => row[name]))]))
    return { peer, ...values, lowest: Math.min(...costs), highest: Math.max(...costs) }
  })
  const ratio = (one) => {
    const own = medians.find(({ peer }) => peer === ours(one.peer))
    return own ? costOf(own) / costOf(one) : null
  }
  return medians.map((one) => ({ ...one, ratio: ratio(one) }))
}

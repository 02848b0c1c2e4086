import { measure } from './measure.js'
import { describeSample } from './report.js'

/**
 * @typedef {import('./measure.js').Sample & { workload: string, peer: string, round: number }} Row
 */

/**
 * Measures one workload: every peer once in every round, in turn, so that what changes on the machine meanwhile changes
 * for all. Latency is taken at half of what the slowest could in the first round.
 * @param {object} what
 * @param {import('../workloads/workloads.js').Workload} what.workload
 * @param {readonly string[]} what.peers
 * @param {import('./options.js').Options} what.options
 * @param {number | undefined} what.redisPort
 * @returns {Promise<{ rows: Row[], rate: number | undefined }>}
 */
export async function runRounds({ workload, peers, options, redisPort }) {
  /** @type {Row[]} */
  const rows = []
  let { rate } = options
  // A connection takes the same memory every time, nearly, and coming back the same commands.
  const rounds = ['memory', 'scale', 'reconnect'].includes(workload.measures)
    ? Math.ceil(options.rounds / 2)
    : options.rounds
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of peers) {
      process.stdout.write(`${workload.name}  round ${round}/${rounds}  ${peer.padEnd(28)}`)
      const sample = await measure({
        workload,
        peer,
        options,
        redisPort,
        rate: workload.unpaced ? undefined : rate,
      })
      console.log(describeSample(sample))
      rows.push({ ...sample, workload: workload.name, peer, round })
    }
    if (workload.measures === 'operations' && !workload.unpaced) rate ??= halfOfSlowest(rows)
  }
  return { rows, rate }
}

function halfOfSlowest(rows) {
  const half = Math.min(...rows.map(({ opsPerSecond }) => opsPerSecond)) / 2
  return Number(half.toPrecision(2))
}

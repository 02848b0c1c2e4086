import { costOf } from './statistics.js'

/** From here on a process that had a core to itself is taken to be at its limit. */
const SATURATED = 0.95

/** One sample as a line of progress. */
export function describeSample(sample) {
  if (sample.freeP99Ms !== undefined) {
    const end = sample.isClosed ? 'closed' : 'not closed'
    return `p99 ${fine(sample.freeP99Ms)} ms, with one stalled ${fine(sample.p99Ms)} ms; ${end}`
  }
  if (sample.fanoutMs !== undefined) {
    return `${whole(sample.bytes)} bytes a connection; ${whole(sample.deliveries)} deliveries in ${whole(sample.fanoutMs)} ms`
  }
  if (sample.bytes !== null) {
    return `${whole(sample.bytes)} bytes a connection, ${whole(sample.heapBytes)} of them in the heap`
  }
  const latency = sample.p50Ms === null ? '' : `  p50 ${fine(sample.p50Ms)} ms  p99 ${fine(sample.p99Ms)} ms`
  return `${fine(sample.cpuMicros)} µs  ${whole(sample.opsPerSecond)}/s${latency}`
}

/**
 * One workload as a table.
 * @param {object} what
 * @param {import('../workloads/workloads.js').Workload} what.workload
 * @param {ReturnType<typeof import('./statistics.js').summarise>} what.summary
 * @param {Readonly<Record<string, string>>} what.leftOut why a peer is not there
 * @param {number | undefined} what.rate
 * @param {string} what.setup
 */
export function table({ workload, summary, leftOut, rate, setup }) {
  const pace = rate ? `; latency at ${whole(rate)} ${workload.operation}s/s` : ''
  const columns = columnsOf(workload)
  const body = summary.map((row) => columns.map(({ cell }) => cell(row)))
  const rows = [columns.map(({ title }) => title), ...body]
  const named = [...rows, ...Object.keys(leftOut).map((peer) => [peer])]
  const widths = columns.map((_, column) => Math.max(...named.map((row) => row[column]?.length ?? 0)))
  const align = (text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column]))
  const lines = rows.map((row) => `  ${row.map(align).join('  ')}`.trimEnd())
  const missing = Object.entries(leftOut).map(
    ([peer, why]) => `  ${peer.padEnd(widths[0])}  left out: ${why}`,
  )
  const limited = summary.some(isLimited)
  const note = limited ? ['  * the loader was at its limit, not the server: it could do more'] : []
  return [`\n${workload.name}: ${setup}${pace}`, ...lines, ...missing, ...note].join('\n')
}

function columnsOf({ measures, operation, cluster }) {
  if (measures === 'memory') return memoryColumns
  if (measures === 'scale') return scaleColumns
  if (measures === 'stalled') return stalledColumns
  return [...operationColumns(operation), ...(cluster ? redisColumns : [])]
}

function operationColumns(operation) {
  return [
    { title: 'peer', cell: ({ peer }) => peer },
    { title: `CPU µs/${operation}`, cell: ({ cpuMicros }) => fine(cpuMicros) },
    { title: 'lowest–highest', cell: range },
    { title: 'ours/peer', cell: ratio },
    { title: `${operation}s/s`, cell: (row) => `${whole(row.opsPerSecond)}${isLimited(row) ? '*' : ''}` },
    { title: 'p50 ms', cell: ({ p50Ms }) => fine(p50Ms) },
    { title: 'p99 ms', cell: ({ p99Ms }) => fine(p99Ms) },
    { title: 'server busy', cell: ({ serverBusy }) => percent(serverBusy) },
    { title: 'loader busy', cell: ({ loaderBusy }) => percent(loaderBusy) },
  ]
}

const redisColumns = [
  { title: 'Redis CPU µs', cell: ({ redisCpuMicros }) => fine(redisCpuMicros) },
  { title: 'commands', cell: ({ redisCommands }) => fine(redisCommands) },
  { title: 'in scripts', cell: ({ redisScripted }) => (redisScripted > 0 ? fine(redisScripted) : '') },
]

const memoryColumns = [
  { title: 'peer', cell: ({ peer }) => peer },
  { title: 'bytes/connection', cell: ({ bytes }) => whole(bytes) },
  { title: 'lowest–highest', cell: range },
  { title: 'ours/peer', cell: ratio },
  { title: 'of them in the heap', cell: ({ heapBytes }) => whole(heapBytes) },
]

const scaleColumns = [
  ...memoryColumns.filter(({ title }) => title === 'peer' || title.startsWith('bytes')),
  { title: 'deliveries, none lost', cell: ({ deliveries }) => whole(deliveries) },
  { title: 'until the last, ms', cell: ({ fanoutMs }) => whole(fanoutMs) },
  { title: 'CPU µs/delivery', cell: ({ cpuMicros }) => fine(cpuMicros) },
  { title: 'ours/peer', cell: ratio },
]

const stalledColumns = [
  { title: 'peer', cell: ({ peer }) => peer },
  { title: 'p99 ms', cell: ({ freeP99Ms }) => fine(freeP99Ms) },
  { title: 'with one stalled', cell: ({ p99Ms }) => fine(p99Ms) },
  { title: 'ratio', cell: ({ p99Ms, freeP99Ms }) => (p99Ms / freeP99Ms).toFixed(2) },
  { title: 'bytes more', cell: ({ growth }) => whole(growth) },
  { title: 'closed', cell: ({ isClosed }) => (isClosed ? 'yes' : 'no') },
]

function isLimited({ serverBusy, loaderBusy }) {
  return loaderBusy !== null && loaderBusy >= SATURATED && serverBusy < SATURATED
}

function range(row) {
  const format = row.bytes === null ? fine : whole
  return `${format(row.lowest)}–${format(row.highest)}`
}

function ratio(row) {
  return row.ratio === null || costOf(row) === null ? '' : row.ratio.toFixed(2)
}

function percent(share) {
  return share === null ? '' : `${Math.round(share * 100)} %`
}

function whole(number) {
  return number === null ? '' : Math.round(number).toLocaleString('en')
}

/** Three digits, or all that are before the point. */
function fine(number) {
  if (number === null) return ''
  return number >= 100 ? whole(number) : number.toPrecision(3)
}

import { parseArgs } from 'node:util'
import { peers, workloads } from '../workloads/workloads.js'

/**
 * @typedef {object} Options
 * @property {readonly string[]} only workloads
 * @property {readonly string[]} peers
 * @property {number} rounds
 * @property {number} seconds of each measurement
 * @property {number} warmUp seconds before it
 * @property {number} connections
 * @property {number | undefined} depth calls in flight per connection, instead of each workload's own
 * @property {number} payload bytes
 * @property {number} subscribers
 * @property {number} burst publications
 * @property {number} idle connections of idle-memory
 * @property {number} scale connections of scale
 * @property {number} stalledPayload bytes of a publication of stalled
 * @property {number} stalledRate publications a second
 * @property {number} stall
 * @property {number | undefined} rate operations a second of the latency measurement
 * @property {string | undefined} before the folder of another checkout, built
 * @property {string | undefined} json a file
 * @property {string | undefined} profile a folder
 */

const names = workloads.map(({ name }) => name)

const full = { rounds: 5, seconds: 3, warmUp: 1.5, idle: 5000, scale: 10_000, stall: 30 }
const quick = { rounds: 2, seconds: 0.8, warmUp: 0.5, idle: 1000, scale: 2000, stall: 5 }

const HELP = `npm run bench -- [options]

  --only A,B         workloads, or what their names begin with: ${names.join(' ')}
  --peers A,B        ${peers.join(' ')}
  --quick            ${quick.rounds} rounds of ${quick.seconds} s: one workload takes less than a minute, and says little
  --rounds N         of which the medians are taken; at least 2 (${full.rounds})
  --seconds N        of each measurement (${full.seconds})
  --connections N    of the calls, and sign-ins at once (50)
  --depth N          calls in flight per connection, instead of each workload's own
  --payload BYTES    of each call's argument, answer and publication (64)
  --subscribers N    of the fan-out (1000)
  --burst N          publications in one turn of fanout-burst (20)
  --idle N           connections of idle-memory (${full.idle})
  --scale N          connections of scale (${full.scale})
  --stall N          seconds of each measurement of stalled (${full.stall}), of --subscribers readers
  --rate N           operations a second of the latency measurement (half of what the slowest peer can)
  --before DIR       compares with the server of another checkout, which has been built: the peer token-socket-before
  --json FILE        writes the results to a file too
  --profile FOLDER   writes a CPU profile of every server there; what is measured then is not the server alone
`

const NUMBERS = [
  'rounds',
  'seconds',
  'connections',
  'depth',
  'payload',
  'subscribers',
  'burst',
  'idle',
  'scale',
  'stall',
  'rate',
]
const text = /** @type {const} */ ({ type: 'string' })

/**
 * @param {readonly string[]} args
 * @returns {Options | undefined} nothing when only help was wanted, and has been given
 */
export function parseOptions(args) {
  const flag = /** @type {const} */ ({ type: 'boolean' })
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(
        [...NUMBERS, 'only', 'peers', 'before', 'json', 'profile'].map((name) => [name, text]),
      ),
      quick: flag,
      help: flag,
    },
  })
  if (values.help) {
    console.log(HELP)
    return undefined
  }
  const defaults = {
    connections: 50,
    payload: 64,
    subscribers: 1000,
    burst: 20,
    stalledPayload: 24_576,
    stalledRate: 10,
  }
  return {
    ...defaults,
    ...(values.quick ? quick : full),
    ...numbersOf(values),
    only: chosen('--only', values.only, names),
    peers: chosen('--peers', values.peers, peers),
    before: values.before,
    json: values.json,
    profile: values.profile,
  }
}

function numbersOf(values) {
  const given = NUMBERS.filter((name) => values[name] !== undefined)
  const numbers = Object.fromEntries(given.map((name) => [name, Number(values[name])]))
  for (const [name, number] of Object.entries(numbers)) {
    const isWhole = Number.isInteger(number) || name === 'seconds' || name === 'rate'
    if (!(number > 0) || !isWhole) throw new Error(`--${name} has to be a number above 0`)
  }
  if (numbers.rounds === 1)
    throw new Error('--rounds has to be 2 or more: the first says how fast latency is taken')
  if (numbers.payload < 20) throw new Error('--payload has to be 20 or more')
  return numbers
}

/** In the order of the table, not of the command line. `rpc` stands for all whose names begin with `rpc-`, if it is none itself. */
function chosen(option, list, known) {
  if (list === undefined) return known
  const wanted = list.split(',').filter(Boolean)
  const meant = (name) => (known.includes(name) ? [name] : known.filter((one) => one.startsWith(`${name}-`)))
  const unknown = wanted.filter((name) => meant(name).length === 0)
  if (unknown.length > 0)
    throw new Error(`${option}: there is no ${unknown.join(', ')}, only ${known.join(', ')}`)
  const names = wanted.flatMap(meant)
  return known.filter((name) => names.includes(name))
}

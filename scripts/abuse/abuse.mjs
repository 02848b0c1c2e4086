// The attacks of `npm run abuse`, one after the other, each on a server of its own. See docs/SECURITY.md.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { runGenerated } from './inputs.mjs'
import { members, strangers } from './memory.mjs'
import { stalls } from './stalls.mjs'
import { sleep, Target } from './target.mjs'

/** Milliseconds of CPU time for which one client may hold the event loop. */
const STALL_LIMIT = 50

/** Milliseconds between two calls of a client that does no harm. */
const HONEST_PACE = 5

const HELP = `npm run abuse -- [options]

  --only TEXT    only the attacks whose names contain the text
  --inputs N     how many inputs are generated; 0 for none (default 1000000)
  --seed N       the seed of the generated inputs (default: random, printed)
  --json FILE    writes the figures to a file, too
  --help         this text

The exit code is 1 if an attack went over its limit, or a generated input broke a promise.`

function readOptions() {
  const option = { type: 'string' }
  const { values } = parseArgs({
    options: { only: option, inputs: option, seed: option, json: option, help: { type: 'boolean' } },
  })
  const inputs = Number(values.inputs ?? 1_000_000)
  if (!Number.isSafeInteger(inputs) || inputs < 0)
    throw new Error('--inputs takes a whole number, 0 or above')
  const seed = values.seed === undefined ? undefined : Number(values.seed)
  if (seed !== undefined && !(Number.isSafeInteger(seed) && seed >= 0))
    throw new Error('--seed takes a whole number, 0 or above')
  return { ...values, inputs, seed }
}

/** Calls `echo` all the time, and notes how long the longest answer took, in milliseconds. */
async function honest(target) {
  const client = await target.member('honest')
  for (let n = 0; n < 300; n += 1) await client.call({ rpc: 'echo', req: n })
  const seen = { longest: 0, calls: 0, lost: false }
  let isOn = true
  const run = async () => {
    while (isOn) {
      const start = performance.now()
      const answer = await client.call({ rpc: 'echo', req: seen.calls })
      if (!isOn) return
      if (answer?.resp !== seen.calls) {
        seen.lost = true
        return
      }
      seen.calls += 1
      seen.longest = Math.max(seen.longest, performance.now() - start)
      await sleep(HONEST_PACE)
    }
  }
  const running = run()
  return {
    seen,
    end: () => {
      isOn = false
      return running
    },
  }
}

/** Waits until the server does nothing any more but answer an honest client. */
async function settled(target) {
  for (let quiet = 0; quiet < 5; ) {
    const start = performance.now()
    await target.ask('report')
    quiet = performance.now() - start < 20 ? quiet + 1 : 0
    await sleep(50)
  }
}

async function stall({ name, settings, run }) {
  const target = await Target.start(settings)
  try {
    const client = await honest(target)
    await target.ask('reset')
    await run(target)
    await settled(target)
    await client.end()
    const report = await target.ask('report')
    const isBroken = client.seen.lost || report.uncaught > 0
    const held = report.stall <= STALL_LIMIT && !isBroken
    return { name, held, stall: report.stall, honest: client.seen.longest, lines: report.lines, isBroken }
  } finally {
    await target.stop()
  }
}

async function memory({ name, settings, run, limit, attackers = 1 }) {
  const target = await Target.start(settings)
  try {
    const client = await honest(target)
    await client.end()
    const before = await target.ask('memory')
    await run(target)
    await sleep(500)
    const kept = ((await target.ask('memory')) - before) / attackers
    const after = await honest(target)
    await after.end()
    return { name, held: kept <= limit && !after.seen.lost, kept, limit, attackers }
  } finally {
    await target.stop()
  }
}

async function all(title, attacks, { measure, columns }) {
  if (attacks.length === 0) return []
  console.log(`\n${title}\n`)
  const rows = []
  for (const attack of attacks) {
    const row = await measure(attack).catch((error) => ({
      name: attack.name,
      held: false,
      failed: error.message,
    }))
    console.log(`${row.held ? 'held  ' : 'BROKEN'} ${row.name.padEnd(52)} ${row.failed ?? columns(row)}`)
    rows.push(row)
  }
  return rows
}

const ms = (value) => `${value.toFixed(1)} ms`
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`

const options = readOptions()
if (options.help) {
  console.log(HELP)
  process.exit(0)
}
spawnSync('taskset', ['-pc', '1', String(process.pid)])
const isMeant = ({ name }) => name.includes(options.only ?? '')
const memoryColumns = ({ kept, limit, attackers }) =>
  `${kib(kept)} kept for each of ${attackers}, limit ${kib(limit)}`
const results = {
  stalls: await all(
    `One client: the longest stall, in CPU time of the server’s main thread (limit ${STALL_LIMIT} ms)`,
    stalls.filter(isMeant),
    {
      measure: stall,
      columns: (row) =>
        `${ms(row.stall)}, an honest call took at most ${ms(row.honest)}, ${row.lines} log lines${row.isBroken ? ', and it was lost' : ''}`,
    },
  ),
  strangers: await all('Strangers: bytes kept', strangers.filter(isMeant), {
    measure: memory,
    columns: memoryColumns,
  }),
  members: await all('One member: bytes kept', members.filter(isMeant), {
    measure: memory,
    columns: memoryColumns,
  }),
}
if (options.json) writeFileSync(options.json, JSON.stringify(results, undefined, 2))
const rows = Object.values(results).flat()
const broken = rows.filter(({ held }) => !held)
const isGenerated = options.inputs > 0 && options.only === undefined
if (isGenerated)
  console.log(
    `\n${options.inputs} generated inputs, each kind against a server or the function that reads it\n`,
  )
const isKept = !isGenerated || (await runGenerated({ count: options.inputs, seed: options.seed }))
console.log(`\n${rows.length - broken.length} of ${rows.length} attacks held`)
if (isGenerated) console.log(isKept ? 'generated inputs: every promise kept' : 'generated inputs: BROKEN')
process.exitCode = broken.length > 0 || !isKept ? 1 : 0

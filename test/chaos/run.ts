/** `npm run chaos`. */
import { parseArgs } from 'node:util'
import { type ChaosReport, chaos } from './chaos.js'
import { measureGhosts, Pair } from './members.js'
import { reconnect } from './reconnect.js'
import { revoke, revokeLines } from './revoke.js'

const HELP = `npm run chaos -- [options]: docs/CHAOS.md says what it does

  --publications N   how many have to be acknowledged (200000)
  --clients N        how many clients there are (200)
  --nodes N          how many nodes (3)
  --seed N           makes the same choices again, though not at the same moments
  --ghosts N         instead: kills a node N times, and measures how long its members are seen
  --revoke           instead: takes a channel from the sockets of one user while a node is stopped and Redis restarts,
                     and measures how long messages of it still arrive; --clients is the number of sockets (1000)
  --reconnect N      instead: kills the node of N clients, and measures until all are ready on another
`

const values = readOptions()
if (values.help) console.log(HELP)
else if (values.ghosts !== undefined) await ghosts(count('ghosts'))
else if (values.revoke) await revokeAll()
else if (values.reconnect !== undefined) await manyReconnect(count('reconnect'))
else await runChaos()
process.exit()

function readOptions() {
  try {
    const text = { type: 'string' } as const
    const options = {
      seed: text,
      publications: { ...text, default: '200000' },
      clients: text,
      nodes: { ...text, default: '3' },
      ghosts: text,
      reconnect: text,
      revoke: { type: 'boolean' },
      help: { type: 'boolean' },
    } as const
    return parseArgs({ options }).values
  } catch (error) {
    return fail((error as Error).message)
  }
}

function count(option: 'publications' | 'clients' | 'nodes' | 'ghosts' | 'reconnect'): number {
  const number = Number(values[option] ?? 200)
  if (Number.isInteger(number) && number > 0) return number
  return fail(`--${option} has to be a number above 0, not ${values[option]}`)
}

function fail(problem: string): never {
  console.error(`${problem}\n\n${HELP}`)
  process.exit(2)
}

async function runChaos(): Promise<void> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32))
  if (!Number.isSafeInteger(seed)) fail(`--seed has to be a whole number, not ${values.seed}`)
  console.log(`seed ${seed}: ${count('nodes')} nodes, ${count('clients')} clients, 10 channels`)
  let last = 0
  const report = await chaos({
    seed,
    nodes: count('nodes'),
    clients: count('clients'),
    channels: 10,
    publications: count('publications'),
    nodeEvery: 4000,
    redisEvery: 15_000,
    progress: (now) => {
      if (now.seconds - last < 5) return
      last = now.seconds
      console.log(line(now))
    },
  })
  console.log(line(report))
  for (const fault of report.faults) console.log(`  ${fault}`)
  console.log(
    `lost, doubled or out of order without a word: ${report.faultCount}; announced by gap: ${report.gaps}`,
  )
  if (report.faultCount > 0) process.exitCode = 1
}

function line(report: ChaosReport): string {
  const { seconds, acknowledged, deliveries, nodeKills, redisKills, recoveries, retries, faultCount } = report
  return [
    `${seconds.toFixed(0)} s`,
    `${acknowledged} acknowledged`,
    `${deliveries} delivered`,
    `${nodeKills} nodes and ${redisKills} times Redis killed`,
    `${recoveries} recoveries`,
    `${retries} tries again`,
    `${faultCount} faults`,
  ].join(', ')
}

async function ghosts(kills: number): Promise<void> {
  const pair = await Pair.start()
  const times: number[] = []
  await measureGhosts(pair, kills, (ms) => {
    times.push(ms)
    console.log(`kill ${times.length}: the last member was seen for ${(ms / 1000).toFixed(1)} s more`)
  })
  await pair.stop()
  console.log(`at the most ${(Math.max(...times) / 1000).toFixed(1)} s; the bound is 15 s`)
  if (Math.max(...times) > 15_000) process.exitCode = 1
}

async function revokeAll(): Promise<void> {
  const sockets = values.clients === undefined ? 1000 : count('clients')
  for (const order of ['revoke', 'reauthorize'] as const) {
    const report = await revoke({ order, sockets, nodes: 3, stopped: 5000, rate: 20 })
    for (const line of revokeLines(report)) console.log(line)
    if (report.faults.length > 0 || report.nodes.some(({ p99 }) => p99 >= 1000)) process.exitCode = 1
  }
}

async function manyReconnect(clients: number): Promise<void> {
  const report = await reconnect({ count: clients, isApart: true, told: console.log })
  const { p50, p99, last, longestBlock, longestWork, commands } = report
  console.log(
    `${clients} clients ready again: half in ${p50.toFixed(0)} ms, 99 % in ${p99.toFixed(0)} ms, all in ${last.toFixed(0)} ms`,
  )
  console.log(
    `the other node’s event loop was never blocked for more than ${longestBlock.toFixed(0)} ms, by work for ${longestWork.toFixed(0)} ms`,
  )
  console.log(`${commands.toFixed(1)} Redis commands for each client`)
  if (last > 30_000 || longestBlock > 200) process.exitCode = 1
}

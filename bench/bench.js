// `npm run bench`: TokenSocket's server beside others. See README.md.

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { endAll } from './control/child.js'
import { parseOptions } from './control/options.js'
import { pinning } from './control/pinning.js'
import { prepare, prepareTypes } from './control/prepare.js'
import { startRedis } from './control/redis.js'
import { table } from './control/report.js'
import { runRounds } from './control/rounds.js'
import { summarise } from './control/statistics.js'
import { versions } from './control/versions.js'
import { benchTypes } from './types/types.js'
import { oursFor, peersOf, workloads } from './workloads/workloads.js'

const NO_BEFORE = '--before names no other checkout'
const NO_REDIS = 'there is no redis-server (REDIS_SERVER says where it is)'

/** What `results` tells of each row, and of one with a Redis. */
const RESULT = ['peer', 'cpuMicros', 'opsPerSecond', 'p50Ms', 'p99Ms', 'bytes']
const REDIS = ['redisCpuMicros', 'redisCommands', 'redisScripted']

/** @param {import('./control/options.js').Options} options */
async function run(options) {
  const used = versions()
  const listed = Object.entries(used.peers).map(([peer, version]) => `${peer} ${version}`)
  console.log(`Node ${used.node}, ${used.cpu}\n${listed.join(', ')}\n${pinning}\n`)
  const redis = await startRedis()
  const outcomes = []
  const isWanted = (workload) =>
    options.only.includes(workload.name) && peersOf(workload).some((peer) => options.peers.includes(peer))
  for (const workload of workloads.filter(isWanted)) {
    outcomes.push(await runWorkload(workload, { options, redisPort: redis?.port }))
  }
  await redis?.stop()
  console.log(outcomes.map(({ text }) => text).join('\n'))
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify(asJson(outcomes, { options, used }), null, 2)}\n`)
}

async function runWorkload(workload, { options, redisPort }) {
  const wanted = peersOf(workload).filter((peer) => options.peers.includes(peer))
  const reasonOf = (peer) => {
    if (peer === 'token-socket-before' && options.before === undefined) return NO_BEFORE
    const needsRedis = workload.cluster || peer === 'token-sockjs'
    return workload.leftOut[peer] ?? (needsRedis && redisPort === undefined ? NO_REDIS : undefined)
  }
  const reasons = wanted.map((peer) => [peer, reasonOf(peer)])
  const leftOut = Object.fromEntries(reasons.filter(([, reason]) => reason !== undefined))
  const peers = wanted.filter((peer) => !leftOut[peer])
  const { rows, rate } = await runRounds({ workload, peers, options, redisPort })
  const summary = summarise(rows, (peer) => oursFor(workload, peer))
  const setup = describeSetup(workload, { ...options, burst: 1, ...workload.setup(options) })
  return { workload, rows, rate, summary, leftOut, text: table({ workload, summary, leftOut, rate, setup }) }
}

function describeSetup({ cluster }, { connections, depth, burst, lost, each, payload }) {
  const parts = [
    `${connections} connections${cluster ? ' on two nodes' : ''}`,
    depth && `${depth} in flight on each`,
    burst > 1 && `bursts of ${burst}`,
    lost && `${lost} more come back`,
    each && `${each} ${each === 1 ? 'channel' : 'channels'} each`,
    `${payload}-byte payloads`,
  ]
  return parts.filter(Boolean).join(', ')
}

function asJson(outcomes, { options, used }) {
  const results = outcomes.flatMap(({ workload, summary }) =>
    summary.map((row) => ({
      workload: workload.name,
      ...Object.fromEntries(RESULT.map((name) => [name, row[name]])),
      ...(workload.cluster && Object.fromEntries(REDIS.map((name) => [name, row[name]]))),
    })),
  )
  const ratios = outcomes.map(({ workload, summary }) => {
    const isCompared = ({ peer, ratio }) => oursFor(workload, peer) !== peer && ratio !== null
    const compared = summary.filter(isCompared).map(({ peer, ratio }) => [peer, ratio])
    return [workload.name, Object.fromEntries(compared)]
  })
  return {
    results,
    ratios: Object.fromEntries(ratios),
    leftOut: Object.fromEntries(outcomes.map(({ workload, leftOut }) => [workload.name, leftOut])),
    rates: Object.fromEntries(outcomes.map(({ workload, rate }) => [workload.name, rate ?? null])),
    rounds: outcomes.flatMap(({ rows }) => rows),
    versions: used,
    pinning,
    options,
  }
}

/** @param {readonly string[]} args */
async function runServers(args) {
  const options = parseOptions(args)
  if (!options) return
  if (!(await prepare())) process.exit(1)
  if (options.before !== undefined) process.env.TOKEN_SOCKET_BEFORE = resolve(options.before)
  await run(options)
}

/** @param {readonly string[]} args */
async function runTypes(args) {
  if (!(await prepareTypes())) process.exit(1)
  await benchTypes(args)
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => process.exit(130))
}
process.on('exit', endAll)

try {
  const [first, ...others] = process.argv.slice(2)
  if (first === 'types') await runTypes(others)
  else if (first === 'typed') await runServers(['--only', 'typed', ...others])
  else await runServers(process.argv.slice(2))
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`)
  process.exit(1)
}

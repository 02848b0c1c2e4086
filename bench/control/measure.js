import { fileURLToPath } from 'node:url'
import { Child } from './child.js'
import { CORES } from './pinning.js'

const folder = fileURLToPath(new URL('..', import.meta.url))

/** Connections that are there before the memory of the others is taken, so that what all share does not count. */
const SETTLED = 500

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
 */

/** @type {Sample} */
const NOTHING = {
  cpuMicros: null,
  opsPerSecond: null,
  serverBusy: null,
  loaderBusy: null,
  p50Ms: null,
  p99Ms: null,
  bytes: null,
  heapBytes: null,
}

/**
 * Starts a server and a loader, measures, and ends them.
 * @param {object} what
 * @param {import('../workloads/workloads.js').Workload} what.workload
 * @param {string} what.peer
 * @param {import('./options.js').Options} what.options
 * @param {number | undefined} what.redisPort
 * @param {number | undefined} what.rate operations a second at which latency is taken; without it, it is not
 * @returns {Promise<Sample>}
 */
export async function measure({ workload, peer, options, redisPort, rate }) {
  const server = startServer(peer, options.profile)
  const loader = startLoader(peer)
  try {
    const { connections, payload } = options
    const port = await server.ask('listen', { name: peer, redisPort })
    const setup = { connections, payload, burst: 1, port, ...workload.setup(options) }
    const about = { ...setup, peer, sockjs: workload.sockjs ?? false, file: workload.file }
    if (workload.measures === 'memory') return await measureMemory({ server, loader, setup: about })
    await loader.ask('open', about)
    if (workload.driver === 'server') await server.ask('open', setup)
    const driver = workload.driver === 'server' ? server : loader
    return await measureOperations({ server, loader, driver, options, rate })
  } finally {
    await Promise.all([server.stop(), loader.stop()])
  }
}

/** TokenSocket finds `ws` in the root folder: NODE_PATH lets it have the same add-on to it as the peers. */
function startServer(peer, profile) {
  const env = { NODE_PATH: `${folder}node_modules` }
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const command = [process.execPath, '--expose-gc', ...flags, `${folder}peers/server.js`]
  return new Child({ name: `the server of ${peer}`, core: CORES.server, command, env })
}

function startLoader(peer) {
  const command = [process.execPath, `${folder}loader/loader.js`]
  return new Child({ name: `the loader of ${peer}`, core: CORES.loader, command })
}

async function measureOperations({ server, loader, driver, options, rate }) {
  const { seconds, warmUp } = options
  await driver.ask('saturate', { seconds: warmUp })
  const before = await marks(server, loader)
  const { operations, seconds: elapsed } = await driver.ask('saturate', { seconds })
  const after = await marks(server, loader)
  const latency = rate ? await driver.ask('pace', { seconds, rate }) : { p50Ms: null, p99Ms: null }
  return {
    ...NOTHING,
    cpuMicros: (after.server.cpu - before.server.cpu) / operations,
    opsPerSecond: operations / elapsed,
    serverBusy: busy(before.server, after.server),
    loaderBusy: busy(before.loader, after.loader),
    p50Ms: latency.p50Ms,
    p99Ms: latency.p99Ms,
  }
}

/** Nothing runs when a mark is taken: all operations are done. */
async function marks(server, loader) {
  return { server: await server.ask('mark'), loader: await loader.ask('mark') }
}

function busy(before, after) {
  return (after.cpu - before.cpu) / (after.time - before.time)
}

async function measureMemory({ server, loader, setup }) {
  await loader.ask('open', { ...setup, connections: SETTLED })
  const before = await server.ask('memory')
  await loader.ask('more', { connections: setup.connections })
  const after = await server.ask('memory')
  return {
    ...NOTHING,
    bytes: (after.resident - before.resident) / setup.connections,
    heapBytes: (after.heap - before.heap) / setup.connections,
  }
}

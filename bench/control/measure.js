import { measureCluster } from './measure-cluster.js'
import { measureOperations } from './measure-operations.js'
import { measureRecovery } from './measure-recovery.js'
import { measureStalled } from './measure-stalled.js'
import { busy, marks, withPair } from './pair.js'
import { NOTHING } from './sample.js'

/** Connections that are there before the memory of the others is taken, so that what all share does not count. */
const SETTLED = 500

/**
 * Starts a server and a loader, measures, and ends them.
 * @param {object} what
 * @param {import('../workloads/workloads.js').Workload} what.workload
 * @param {string} what.peer
 * @param {import('./options.js').Options} what.options
 * @param {number | undefined} what.redisPort
 * @param {number | undefined} what.rate operations a second at which latency is taken; without it, it is not
 * @returns {Promise<import('./sample.js').Sample>}
 */
export async function measure({ workload, peer, options, redisPort, rate }) {
  if (workload.cluster) return measureCluster({ workload, peer, options, rate })
  if (workload.measures === 'stalled') return measureStalled({ workload, peer, options })
  return withPair({ peer, profile: options.profile }, async ({ server, loader }) => {
    const { connections, payload } = options
    const port = await server.ask('listen', { name: peer, redisPort })
    const setup = { connections, payload, burst: 1, port, ...workload.setup(options) }
    const about = { ...setup, peer, sockjs: workload.sockjs ?? false, file: workload.file }
    if (workload.measures === 'memory') return await measureMemory({ server, loader, setup: about })
    if (workload.measures === 'scale') return await measureScale({ server, loader, setup: about })
    if (workload.measures === 'recovery') return await measureRecovery({ server, loader, setup: about })
    await loader.ask('open', about)
    if (workload.driver === 'server') await server.ask('open', setup)
    const driver = workload.driver === 'server' ? server : loader
    return await measureOperations({ server, loader, driver, options, rate })
  })
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

/** Connections that do nothing, and one publication to all of them: it ends when each has it. */
async function measureScale({ server, loader, setup }) {
  const memory = await measureMemory({ server, loader, setup })
  const deliveries = setup.connections + SETTLED
  const before = await marks(server, loader)
  const { seconds } = await loader.ask('saturate', { seconds: 0 })
  const after = await marks(server, loader)
  return {
    ...memory,
    cpuMicros: (after.server.cpu - before.server.cpu) / deliveries,
    opsPerSecond: deliveries / seconds,
    serverBusy: busy(before.server, after.server),
    loaderBusy: busy(before.loader, after.loader),
    deliveries,
    fanoutMs: seconds * 1000,
  }
}

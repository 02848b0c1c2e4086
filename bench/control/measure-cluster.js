import { measureOperations } from './measure-operations.js'
import { withNodes } from './nodes.js'
import { busy, marks } from './pair.js'
import { NOTHING } from './sample.js'

/** Two nodes with a Redis: what an operation costs both together. */
export function measureCluster({ workload, peer, options, rate }) {
  return withNodes({ peer, profile: options.profile }, async ({ nodes, ports, loader, meter }) => {
    const { connections, payload } = options
    const setup = { connections, payload, burst: 1, ports, ...workload.setup(options) }
    // Where the clients are all on one node, that is the second: what begins on the first has to cross.
    const about = { ...setup, port: ports[1], peer, sockjs: false, file: workload.file }
    await loader.ask('open', about)
    if (workload.measures === 'reconnect') return measureReconnect({ nodes, loader, meter })
    const [first, second] = nodes
    const isServer = workload.driver === 'server'
    if (isServer) await first.ask('open', { ...setup, sids: await second.ask('sids') })
    const driver = isServer ? first : loader
    return measureOperations({ server: nodes, loader, driver, options, rate, meter })
  })
}

/** Both ends of an absence count: that clients leave, and that they come back. */
async function measureReconnect({ nodes, loader, meter }) {
  const step = (name) => () => loader.ask('step', { name })
  await step('begin')()
  const left = await measured({ nodes, loader, meter }, step('leave'))
  await step('miss')()
  const back = await measured({ nodes, loader, meter }, () => loader.ask('saturate', { seconds: 0 }))
  const { operations, seconds, p50Ms, p99Ms } = back.result
  const sum = (name) => (left[name] + back[name]) / operations
  return {
    ...NOTHING,
    cpuMicros: sum('cpu'),
    opsPerSecond: operations / seconds,
    serverBusy: back.serverBusy,
    loaderBusy: back.loaderBusy,
    p50Ms,
    p99Ms,
    redisCpuMicros: sum('redisCpu'),
    redisCommands: sum('sent'),
    redisScripted: sum('scripted'),
  }
}

async function measured({ nodes, loader, meter }, run) {
  const before = await marks(nodes, loader)
  const redisBefore = await meter.cpu()
  const { result, sent, scripted } = await meter.count(run)
  const after = await marks(nodes, loader)
  return {
    result,
    sent,
    scripted,
    cpu: after.server.cpu - before.server.cpu,
    redisCpu: (await meter.cpu()) - redisBefore,
    serverBusy: busy(before.server, after.server),
    loaderBusy: busy(before.loader, after.loader),
  }
}

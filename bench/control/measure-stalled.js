import { withPair } from './pair.js'
import { NOTHING } from './sample.js'

/**
 * The same publications at the same rate to the same subscribers, first as ever, then with one that has stopped reading:
 * what the others notice of it, and what it costs the server.
 */
export async function measureStalled({ workload, peer, options }) {
  const free = await runStalled({ workload, peer, options, stalls: false })
  const stalled = await runStalled({ workload, peer, options, stalls: true })
  return {
    ...NOTHING,
    p50Ms: stalled.p50Ms,
    p99Ms: stalled.p99Ms,
    freeP99Ms: free.p99Ms,
    growth: stalled.growth - free.growth,
    isClosed: free.connections - stalled.connections,
  }
}

function runStalled({ workload, peer, options, stalls }) {
  return withPair({ peer, profile: options.profile }, async ({ server, loader }) => {
    const port = await server.ask('listen', { name: peer })
    const setup = { burst: 1, depth: 1, port, ...workload.setup(options), stalls }
    await loader.ask('open', { ...setup, peer, sockjs: false, file: workload.file })
    const { stalledRate: rate, stall: seconds } = options
    await loader.ask('pace', { seconds: 1, rate })
    await server.ask('watch')
    const latency = await loader.ask('pace', { seconds, rate })
    const growth = await server.ask('growth')
    return { ...latency, growth, connections: await server.ask('connections') }
  })
}

import { busy, marks } from './pair.js'
import { NOTHING } from './sample.js'

/** Everybody comes back at once: the time until a client has all that it missed, and what that costs the server. */
export async function measureRecovery({ server, loader, setup }) {
  await loader.ask('open', setup)
  const before = await marks(server, loader)
  const { operations, seconds, p50Ms, p99Ms } = await loader.ask('saturate', { seconds: 0 })
  const after = await marks(server, loader)
  return {
    ...NOTHING,
    cpuMicros: (after.server.cpu - before.server.cpu) / operations,
    opsPerSecond: operations / seconds,
    serverBusy: busy(before.server, after.server),
    loaderBusy: busy(before.loader, after.loader),
    p50Ms,
    p99Ms,
  }
}

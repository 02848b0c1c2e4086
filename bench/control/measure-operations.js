import { busy, marks } from './pair.js'
import { NOTHING } from './sample.js'

/** Seconds in which Redis's commands are counted at the most. */
const COUNTING = 1

/**
 * As many operations as go, and then the same at a fixed rate.
 * @param {object} what
 * @param {import('./child.js').Child | readonly import('./child.js').Child[]} what.server all of its nodes
 * @param {import('./child.js').Child} what.loader
 * @param {import('./child.js').Child} what.driver which of them starts the operations
 * @param {import('./options.js').Options} what.options
 * @param {number | undefined} what.rate operations a second
 * @param {import('./redis-meter.js').RedisMeter} [what.meter] of the Redis that the nodes share
 * @returns {Promise<import('./sample.js').Sample>}
 */
export async function measureOperations({ server, loader, driver, options, rate, meter }) {
  const { seconds, warmUp } = options
  await driver.ask('saturate', { seconds: warmUp })
  const redisBefore = await meter?.cpu()
  const before = await marks(server, loader)
  const { operations, seconds: elapsed } = await driver.ask('saturate', { seconds })
  const after = await marks(server, loader)
  const redis = meter && { redisCpuMicros: ((await meter.cpu()) - redisBefore) / operations }
  const commands = meter && (await countCommands({ meter, driver, seconds }))
  const latency = rate ? await driver.ask('pace', { seconds, rate }) : { p50Ms: null, p99Ms: null }
  return {
    ...NOTHING,
    cpuMicros: (after.server.cpu - before.server.cpu) / operations,
    opsPerSecond: operations / elapsed,
    serverBusy: busy(before.server, after.server),
    loaderBusy: busy(before.loader, after.loader),
    p50Ms: latency.p50Ms,
    p99Ms: latency.p99Ms,
    ...redis,
    ...commands,
  }
}

/** In a run of its own. */
async function countCommands({ meter, driver, seconds }) {
  const run = () => driver.ask('saturate', { seconds: Math.min(seconds, COUNTING) })
  const { result, sent, scripted } = await meter.count(run)
  return { redisCommands: sent / result.operations, redisScripted: scripted / result.operations }
}

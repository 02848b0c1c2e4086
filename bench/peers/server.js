// The process of a server under test.

import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { answerParent, mark } from '../control/answer-parent.js'
import { createServerLoad } from '../workloads/server-rpc.js'

/** @type {import('./peer.js').Peer} */
let peer
/** @type {import('../loader/load.js').Load} */
let load

/**
 * Bytes in use once all garbage is gone, `--expose-gc` given. `resident` leaves out what V8's heap keeps in reserve: that
 * grows in steps of megabytes, and what it is when depends on the garbage of the moment.
 */
async function memory() {
  for (let i = 0; i < 4; i += 1) {
    globalThis.gc?.()
    await sleep(100)
  }
  const { used_heap_size: used } = getHeapStatistics()
  return { resident: resident(), heap: used + process.memoryUsage().external }
}

/** Bytes that are resident, without what V8's heap keeps in reserve. */
function resident() {
  const { total_physical_size: heap, used_heap_size: used } = getHeapStatistics()
  return process.memoryUsage.rss() - (heap - used)
}

/** Milliseconds between two looks at the memory that is watched. */
const LOOK = 100

let peak = 0
let before = 0

answerParent({
  mark,
  memory,
  /** Looks at the memory from now on. */
  watch() {
    globalThis.gc?.()
    before = resident()
    setInterval(() => {
      peak = Math.max(peak, resident())
    }, LOOK)
  },
  /** How many bytes it grew by, at the most. */
  growth: () => peak - before,
  connections: () => peer.connections?.(),
  sids: () => peer.sids?.(),
  /** Starts the peer's server. @returns its port */
  async listen({ name, redisPort }) {
    const server = createServer()
    const { start } = await import(`./${name}.js`)
    peer = await start({ server, redisPort })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
    return server.address().port
  },
  /** For the workloads in which the server starts the operations. */
  open(setup) {
    load = createServerLoad(peer, setup)
  },
  saturate: (how) => load.saturate(how),
  pace: (how) => load.pace(how),
})

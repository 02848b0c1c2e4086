// Sends generated inputs to the real library, kind by kind, and stops at the first promise that is broken.
import { Breach } from './breach.mjs'
import { claims } from './claims.mjs'
import { decoding } from './decoding.mjs'
import { firstMessages } from './first-messages.mjs'
import { Random } from './random.mjs'
import { Site } from './site.mjs'
import { batches, channelTokens, frames, histories, positions } from './sockets.mjs'
import { sockjsBodies, sockjsFrames } from './sockjs.mjs'
import { tokenRequests } from './token-requests.mjs'
import { tokensOf } from './tokens.mjs'
import { rawFrames } from './websocket.mjs'

/** What is generated, and its share in a thousand. */
export const KINDS = [
  ['frames, decoded', 350, decoding],
  ['claims, read', 150, claims],
  ['tokens, verified', 50, tokensOf],
  ['frames by WebSocket', 170, frames],
  ['batches by WebSocket', 150, batches],
  ['positions', 50, positions],
  ['history cursors', 30, histories],
  ['tokens for channels', 10, channelTokens],
  ['first messages', 5, firstMessages],
  ['frames of RFC 6455', 5, rawFrames],
  ['SockJS bodies', 7, sockjsBodies],
  ['SockJS frames', 15, sockjsFrames],
  ['token requests', 8, tokenRequests],
]

/** Bytes by which the heap may grow from the first tenth of a kind to its end: names, keys and tickets that are kept for a while. */
const GROWTH = 24 * 1024 * 1024

/** What everything inherits from: no input may leave anything there. */
const ROOTS = [Object.prototype, Array.prototype, Function.prototype, String.prototype]
const PROPERTIES = ROOTS.map((root) => Reflect.ownKeys(root).length)

/**
 * @param options `count` inputs in all, `seed`, `only` kinds whose name contains this, `report` gets each kind's row
 * @returns the rows @throws Breach with the `kind` and the `input`
 */
export async function runInputs({ count, seed, only = '', report = () => {} }) {
  const site = await Site.open()
  const rows = []
  const strays = []
  const note = (error) => strays.push(error)
  process.on('uncaughtException', note).on('unhandledRejection', note)
  try {
    for (const [kind, share, run] of KINDS.filter(([name]) => name.includes(only))) {
      const inputs = Math.ceil((count * share) / 1000)
      const row = await runKind({ site, kind, run, inputs, seed, strays })
      rows.push(row)
      report(row)
    }
    return rows
  } finally {
    process.off('uncaughtException', note).off('unhandledRejection', note)
    await site.close()
  }
}

async function runKind({ site, kind, run, inputs, seed, strays }) {
  const start = performance.now()
  const first = Math.ceil(inputs / 10)
  const row = { kind, inputs, answered: 0, closed: 0, seconds: 0, kept: 0 }
  const part = async (name, count) => {
    const { answered, closed } = await run(Random.of(seed, kind, name), count, site)
    row.answered += answered
    row.closed += closed
    await site.settle()
  }
  try {
    await part('first', first)
    const before = await site.heap()
    if (inputs > first) await part('rest', inputs - first)
    row.kept = (await site.heap()) - before
    if (row.kept > GROWTH) throw new Breach(`${Math.round(row.kept / 1024)} KiB are kept`)
    if (strays.length > 0) throw new Breach(`outside of every handler: ${strays[0]?.stack ?? strays[0]}`)
    const polluted = ROOTS.findIndex((root, index) => Reflect.ownKeys(root).length !== PROPERTIES[index])
    if (polluted >= 0) throw new Breach('a prototype has new properties')
  } catch (error) {
    const breach = error instanceof Breach ? error : new Breach(error?.stack ?? String(error))
    throw Object.assign(breach, { kind, seed })
  }
  row.seconds = (performance.now() - start) / 1000
  return row
}

/** Sends the payloads that the command line asks for; `npm run payloads` starts it. */
import { parseArgs } from 'node:util'
import { type PayloadRun, runPayloads } from './payloads.js'

const { values } = parseArgs({
  options: { count: { type: 'string' }, seed: { type: 'string' }, shapes: { type: 'string' } },
})
const count = Number(values.count)
const seed = Number(values.seed)
const randomShapes = Number(values.shapes)

for (const kind of ['faulty', 'valid'] as const satisfies readonly PayloadRun['kind'][]) {
  const begun = performance.now()
  await runPayloads({ kind, count, seed, randomShapes })
  const seconds = ((performance.now() - begun) / 1000).toFixed(0)
  const what =
    kind === 'faulty' ? 'each refused with a path, none reached a receiver' : 'each arrived as it was sent'
  console.log(`${count} ${kind} payloads: ${what}, ${seconds} s`)
}

/** A worker of `npm run model`: plays the histories of some seeds, and tells its parent what it finds, a line of JSON each. */
import { parseArgs } from 'node:util'
import { playSeed as playAuthorization } from '../../server/authorization-model/play.js'
import { playSeed as playSubscription } from './play.js'

/** Milliseconds between two lines that tell how far it is. */
const INTERVAL = 1000

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { model: text, seeds: text, first: text } })
const playSeed = values.model === 'authorization' ? playAuthorization : playSubscription
const first = Number(values.first)
const end = first + Number(values.seeds)
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

let told = performance.now()
let done = 0
for (let seed = first; seed < end; seed += 1) {
  const wrong = await playSeed(seed)
  done += 1
  if (wrong !== undefined) tell({ seed, wrong })
  if (performance.now() - told < INTERVAL) continue
  tell({ done })
  told = performance.now()
  done = 0
}
tell({ done })

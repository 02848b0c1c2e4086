/** `npm run model`: plays histories by the thousand. */
import { parseArgs } from 'node:util'
import { playSeed } from './play.js'

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100000' }, first: { type: 'string', default: '1' } },
})
const first = Number(values.first)
const count = Number(values.seeds)
const begun = Date.now()
let failures = 0
for (let seed = first; seed < first + count && failures < 10; seed += 1) {
  const wrong = await playSeed(seed)
  if (wrong === undefined) continue
  failures += 1
  console.log(`${wrong}\n`)
}
console.log(
  `${count} histories from seed ${first}: ${failures} wrong, ${Math.round((Date.now() - begun) / 1000)} s`,
)
process.exitCode = failures > 0 ? 1 : 0

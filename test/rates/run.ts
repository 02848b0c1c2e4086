/** `npm run rates`. */
import { parseArgs } from 'node:util'
import { costs } from './cost.js'
import { type FloodResult, flood } from './floods.js'
import { MESSAGES, PUBLICATIONS } from './kinds.js'
import { floodTokens, TOKEN_FLOODS } from './token-floods.js'

const HELP = `npm run rates -- [options]: floods each limit of messages by every transport, on one node, on two, and
while Redis is away; the limits of publications, of rules and of their events; and those of token requests.
Says what passes

  --seconds N   for which is counted (10)
  --only TEXT   only the floods whose names contain the text
  --cost        instead: what counting a message costs, in nanoseconds of CPU
  --help        this text

The exit code is 1 if what passed was not within 5 % of a limit.`

/** Part of the limit by which what passes may differ. */
const TOLERANCE = 0.05

const text = { type: 'string' } as const
const { values } = parseArgs({
  options: { seconds: text, only: text, cost: { type: 'boolean' }, help: { type: 'boolean' } },
})
const seconds = Number(values.seconds ?? 10)
if (values.help) console.log(HELP)
else if (values.cost)
  for (const [name, ns] of await costs()) console.log(name.padEnd(26), `${ns.toFixed(0)} ns`.padStart(8))
else if (!(seconds > 0)) fail('--seconds takes a number above 0')
else await run()
process.exit()

async function run(): Promise<void> {
  console.log(`${'limit'.padEnd(36)}${'transport'.padEnd(18)}   sent  passed   limit      of it`)
  const isMeant = ({ name }: { readonly name: string }) => name.includes(values.only ?? '')
  for (const kind of [...MESSAGES, ...PUBLICATIONS].filter(isMeant)) show(await flood(kind, seconds))
  for (const kind of TOKEN_FLOODS.filter(isMeant)) show(await floodTokens(kind, seconds))
}

function show(results: readonly FloodResult[]): void {
  for (const { kind, transport, sent, passed, limit, lost } of results) {
    const isWithin = Math.abs(passed - limit) <= limit * TOLERANCE && lost === 0
    if (!isWithin) process.exitCode = 1
    const numbers = [sent, passed, limit].map((number) => String(number).padStart(7)).join(' ')
    const part = `${((100 * passed) / limit).toFixed(1)} %`.padStart(9)
    console.log(kind.padEnd(36) + transport.padEnd(17), numbers, part, isWithin ? '' : ' not within 5 %')
  }
}

function fail(reason: string): void {
  console.error(reason)
  process.exitCode = 1
}
